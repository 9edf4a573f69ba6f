"""The generation record inside an XMP packet, as `dc:description`: the place that Krita keeps on saving and GIMP accepts
without a warning. Knows XML, not PSD.
"""

from __future__ import annotations

from importlib.metadata import version
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from . import generation_metadata
from .decoding import parse_xml

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
MAX_PACKET = 2 * generation_metadata.MAX_LENGTH

_CLOSING = "</rdf:RDF>"


def packet(text: str) -> bytes:
    """A new packet that carries the record."""
    lines = (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>',
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">',
        f'<rdf:RDF xmlns:rdf="{RDF}">',
        '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/">',
        f"<xmp:CreatorTool>Acetate {version('acetate')}</xmp:CreatorTool>",
        "</rdf:Description>",
        _description(text),
        _CLOSING,
        "</x:xmpmeta>",
        '<?xpacket end="w"?>',
    )
    return "\n".join(lines).encode()


def updated(old: bytes, text: str) -> bytes:
    """The packet with the record in it. A packet with somebody else's description is left alone, as is one not understood."""
    if not old:
        return packet(text)
    previous = record_text(old)
    try:
        written = old.decode()
    except UnicodeDecodeError:
        return old
    if generation_metadata.parse(previous):
        return written.replace(escape(previous), escape(text)).encode()
    if previous or "dc:description" in written or _CLOSING not in written:
        return old
    return written.replace(_CLOSING, _description(text) + "\n" + _CLOSING).encode()


def without_record(packet: bytes) -> bytes:
    """The packet without a record of ours, and nothing where that was all it was made for."""
    text = record_text(packet)
    if not generation_metadata.parse(text):
        return packet
    if b"<xmp:CreatorTool>Acetate " in packet and packet.count(b"<rdf:Description ") == 2:
        return b""
    written = packet.decode(errors="replace")
    return written.replace(_description(text) + "\n", "").replace(escape(text), "").encode()


def record_text(packet: bytes) -> str:
    """The text of `dc:description`; empty when there is none or the packet is broken."""
    if len(packet) > MAX_PACKET:
        return ""
    try:
        root = parse_xml(packet.rstrip(b"\0"))
    except (ElementTree.ParseError, ValueError, LookupError):
        return ""
    item = root.find(f".//{{{DUBLIN_CORE}}}description//{{{RDF}}}li")
    return "" if item is None else item.text or ""


def _description(text: str) -> str:
    item = f'<rdf:li xml:lang="x-default">{escape(text)}</rdf:li>'
    alternatives = f"<dc:description><rdf:Alt>{item}</rdf:Alt></dc:description>"
    return f'<rdf:Description rdf:about="" xmlns:dc="{DUBLIN_CORE}">{alternatives}</rdf:Description>'
