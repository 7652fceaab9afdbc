"""`/freeswitch/dialplan` and `/freeswitch/directory`: what mod_xml_curl posts to.

The switch takes anything but 200 for "ask somebody else" and looks into its own files, as it does for "not found". So what we
cannot answer, whatever the reason, is "not found": the call is then met by the static dialplan, and the reason is in the log.
"""

import logging
from collections.abc import Callable

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.views.decorators.csrf import csrf_exempt

from telephony.switch import dialplan as dialplans
from telephony.switch import directory as directories
from telephony.switch import document
from telephony.switch.answers import Answers
from telephony.switch.authentication import is_switch, refusal
from telephony.switch.questions import Question, read

logger = logging.getLogger(__name__)
_answers = Answers()


# No transaction of the request's: an answer that is known needs no database.
@csrf_exempt
@transaction.non_atomic_requests
def dialplan(request: HttpRequest) -> HttpResponse:
    """Meet a call that comes in."""
    return _answer(request, "dialplan", dialplans.answer)


@csrf_exempt
@transaction.non_atomic_requests
def directory(request: HttpRequest) -> HttpResponse:
    """Tell the switch what it needs to let a telephone sign in, and to ring it."""
    return _answer(request, "directory", directories.answer)


def _answer(request: HttpRequest, section: str, make: Callable[[Question], bytes]) -> HttpResponse:
    if not is_switch(request):
        return refusal()
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    question = read(request.body)
    try:
        body = _answers.get(question, lambda: make(question)) if question.section == section else document.NOT_FOUND
    except Exception:
        logger.exception("the switch asked for its %s and was left to its own files", section)
        body = document.NOT_FOUND
    return HttpResponse(body, content_type="text/xml", headers={"Cache-Control": "no-store"})
