"""The documents a switch reads (mod_xml_curl), and what it does to their text before it reads them: pure.

FreeSWITCH runs its preprocessor over every answer: it replaces `$${name}` by a global variable, a password among them,
drops a line holding `X-PRE-PROCESS` or `<?`, and takes `<!--#` for a command (switch_xml.c, `preprocess`). None of it may
stand in what customers wrote, so that dollar signs and that word are written as character references, which it reads last.
"""

import re
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

_PREPROCESSED = re.compile(r"x(?=-pre-process)", re.IGNORECASE)
# XML 1.0 has no way to write these (production 2), and the switch's parser no way to read them.
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Unwritable(ValueError):
    """A text that no XML document can hold."""


def section(name: str) -> tuple[Element, Element]:
    """Return a new document and its one section."""
    root = Element("document", {"type": "freeswitch/xml"})
    return root, SubElement(root, "section", {"name": name})


def parameters(parent: Element, tag: str, child: str, values: dict[str, str]) -> None:
    """Add `<tag><child name= value=/>…</tag>`."""
    group = SubElement(parent, tag)
    for name, value in values.items():
        SubElement(group, child, {"name": name, "value": value})


def write(root: Element) -> bytes:
    """Return the document's bytes; raises Unwritable. No XML declaration: the switch would drop its line with what follows."""
    text = ElementTree.tostring(root, encoding="unicode")
    if _UNWRITABLE.search(text):
        raise Unwritable("a text in this document has characters XML cannot hold")
    safe = _PREPROCESSED.sub(lambda found: f"&#{ord(found[0])};", text.replace("$", "&#36;"))
    return safe.encode("ascii", "xmlcharrefreplace")


def _not_found() -> bytes:
    root, found = section("result")
    SubElement(found, "result", {"status": "not found"})
    return write(root)


# "I have nothing to say": the switch looks into its own files.
NOT_FOUND = _not_found()
