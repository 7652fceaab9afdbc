"""`/freeswitch/cdr`: where mod_json_cdr posts. Anything but 200 makes the switch keep the record and try again."""

from django.core.exceptions import RequestDataTooBig
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from telephony.cdr.services import take_in
from telephony.switch.authentication import is_switch, refusal


# The switch holds back the channel's last event until it is answered: one statement, nothing else.
@csrf_exempt
@transaction.non_atomic_requests
def receive(request: HttpRequest) -> HttpResponse:
    """Store the record and say so."""
    if not is_switch(request):
        return refusal()
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        body = request.body
    except RequestDataTooBig:
        return HttpResponse("The record is too large.\n", status=413, content_type="text/plain")
    take_in(body=body, now=timezone.now())
    return HttpResponse("Taken.\n", content_type="text/plain", headers={"Cache-Control": "no-store"})
