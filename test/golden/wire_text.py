"""Bodies of answers as text that people can read and diff.

JSON keeps its order, escapes and numbers: it is cut into tokens, never decoded. Protobuf is shown
by field numbers, in the order of the wire. See README.md for the placeholders.
"""
import base64
import re
import time

LINE_WIDTH = 100
PROTOBUF_MAGIC = b"k8s\x00"
CLOCK_SKEW_MAX_S = 7 * 86400
LONG_RUN = re.compile(r"x{1000,}")
# A value that becomes a numbered placeholder, between these two: "\ue000uid 1234…\ue001".
MARK_OPEN, MARK_CLOSE = "\ue000", "\ue001"
_MARKED = re.compile(f"{MARK_OPEN}[^{MARK_CLOSE}]*{MARK_CLOSE}")

# ---- JSON as a tree of tokens: ("object", [(key, node)]), ("array", [node]), or a token.
_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[\[\]{}:,]|[^\s\[\]{}:,"]+)')


class NotJson(ValueError):
    """The text is not JSON."""


def _tokens(text):
    position, out = 0, []
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if not match:
            raise NotJson(text[position:position + 40])
        out.append(match.group(1))
        position = match.end()
    return out


def _parse_value(tokens, at):
    if at >= len(tokens) or tokens[at] in "]}:,":
        raise NotJson(f"token {at}")
    token = tokens[at]
    if token == "[":
        return _parse_list(tokens, at + 1, "]")
    if token == "{":
        return _parse_list(tokens, at + 1, "}")
    if token[0] != '"' and not re.fullmatch(r"true|false|null|-?[0-9][0-9.eE+-]*", token):
        raise NotJson(token)
    return token, at + 1


def _parse_list(tokens, at, closing):
    entries = []
    while True:
        if at >= len(tokens):
            raise NotJson("end of text")
        if tokens[at] == closing:
            return ("object" if closing == "}" else "array", entries), at + 1
        if entries:
            if tokens[at] != ",":
                raise NotJson(tokens[at])
            at += 1
        if closing == "]":
            node, at = _parse_value(tokens, at)
            entries.append(node)
        else:
            key = tokens[at] if at + 1 < len(tokens) else ""
            if key[:1] != '"' or tokens[at + 1] != ":":
                raise NotJson(key)
            node, at = _parse_value(tokens, at + 2)
            entries.append((key, node))


def parse_documents(text):
    """The JSON documents of a text, one (an object) or several (the frames of a watch)."""
    tokens, at, documents = _tokens(text), 0, []
    while at < len(tokens):
        node, at = _parse_value(tokens, at)
        documents.append(node)
    if not documents:
        raise NotJson("empty")
    return documents


def compact(node):
    if isinstance(node, str):
        return node
    kind, entries = node
    if kind == "array":
        return "[" + ",".join(compact(e) for e in entries) + "]"
    return "{" + ",".join(f"{k}:{compact(v)}" for k, v in entries) + "}"


def indented(node, indent="  ", depth=0):
    """As encoding/json.MarshalIndent of Go prints it."""
    if isinstance(node, str):
        return node
    kind, entries = node
    opening, closing = ("[", "]") if kind == "array" else ("{", "}")
    if not entries:
        return opening + closing
    pad = indent * (depth + 1)
    lines = [indented(e, indent, depth + 1) if kind == "array"
             else f"{e[0]}: {indented(e[1], indent, depth + 1)}" for e in entries]
    return (opening + "\n" + ",\n".join(pad + line for line in lines) + "\n" + indent * depth
            + closing)


def readable(node, depth=0, prefix=0):
    """Whatever fits on a line stays on one; the rest is broken, two spaces a level. Values that
    are marked count as their placeholders, so that lines break at the same places in every run."""
    short = compact(node)
    width = len(_MARKED.sub("<uid:1>", short))
    if isinstance(node, str) or width + 2 * depth + prefix < LINE_WIDTH:
        return short
    kind, entries = node
    pad = "  " * (depth + 1)
    if kind == "array":
        lines = [pad + readable(e, depth + 1) for e in entries]
        return "[\n" + ",\n".join(lines) + "\n" + "  " * depth + "]"
    lines = [f"{pad}{k}:{readable(v, depth + 1, len(k) + 1)}" for k, v in entries]
    return "{\n" + ",\n".join(lines) + "\n" + "  " * depth + "}"


def without_key(node, key):
    if isinstance(node, str):
        return node
    kind, entries = node
    if kind == "array":
        return kind, [without_key(e, key) for e in entries]
    return kind, [(k, without_key(v, key)) for k, v in entries if k != key]


def _entry_order(entry):
    return compact(without_key(entry, '"time"'))


def sort_managed_fields(node):
    """Puts the entries of managedFields in the order of their text: the server sorts them by time,
    and whether two requests fall into the same second is chance."""
    if isinstance(node, str):
        return node
    kind, entries = node
    if kind == "array":
        return kind, [sort_managed_fields(e) for e in entries]
    return kind, [(k, (v[0], sorted(v[1], key=_entry_order)) if k == '"managedFields"' and
                   not isinstance(v, str) else sort_managed_fields(v)) for k, v in entries]


def _is_plain_bookmark(frame):
    """A bookmark that only tells the time; when one is sent is up to the server."""
    head = frame.replace("\n", "").replace(" ", "")[:40]
    return head.startswith(('{"type":"BOOKMARK"', '{1:"BOOKMARK"')) and \
        "k8s.io/initial-events-end" not in frame


# Of an object that is quoted within a string.
_QUOTED_MANAGED_FIELDS = re.compile(r',?\\{3}"managedFields\\{3}":\[[^\]]*\]')


def show_json(text, mask, managed_fields=False):
    """Returns (layout, text); layout "" is compact with a newline after each document."""
    documents = parse_documents(text)
    if text == "".join(compact(d) + "\n" for d in documents):
        layout = ""
    elif text in (indented(documents[0]) + "\n", indented(documents[0])):
        layout = "pretty" if text.endswith("\n") else "pretty, no newline"
    elif text == compact(documents[0]):
        layout = "no newline"
    else:
        raise NotJson("neither compact nor indented")
    shown = []
    for document in documents:
        document = (sort_managed_fields(document) if managed_fields else
                    without_key(document, '"managedFields"'))
        text = compact(document)
        if not managed_fields:
            text = _QUOTED_MANAGED_FIELDS.sub("", text)
        masked = mask(text)
        line = readable(parse_documents(masked)[0])
        if not _is_plain_bookmark(line):
            shown.append(line)
    return layout, "\n".join(shown)


# ---- YAML: as it is, with or without managedFields.
_YAML_MANAGED_FIELDS = re.compile(r"^( *)managedFields:\n(?:\1(?:- |  ).*\n)+", re.M)


def show_yaml(text, managed_fields=False):
    return text if managed_fields else _YAML_MANAGED_FIELDS.sub("", text)


# ---- Protobuf.
def _varint(data, at):
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError("varint")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def _fields(data):
    at, out = 0, []
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire_type = tag >> 3, tag & 7
        if number == 0 or number > 10000:
            raise ValueError("field number")
        if wire_type == 0:
            value, at = _varint(data, at)
        elif wire_type in (1, 5):
            size = 8 if wire_type == 1 else 4
            value, at = data[at:at + size], at + size
        elif wire_type == 2:
            size, at = _varint(data, at)
            value, at = data[at:at + size], at + size
        else:
            raise ValueError("wire type")
        if at > len(data):
            raise ValueError("end of data")
        out.append((number, wire_type, value))
    return out


def _quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _show_bytes(value, depth, managed_fields):
    try:
        text = value.decode("utf-8")
        if all(c.isprintable() for c in text):
            return _quote(text)
    except UnicodeDecodeError:
        pass
    if value.startswith(PROTOBUF_MAGIC):
        return "k8s " + _show_message(value[4:], depth, managed_fields)
    try:
        return _show_message(value, depth, managed_fields)
    except ValueError:
        return "base64 " + base64.b64encode(value).decode()


def _is_managed_fields(number, value):
    return number == 17 and isinstance(value, bytes) and b"FieldsV1" in value


def _show_message(data, depth, managed_fields):
    pad = "  " * (depth + 1)
    lines = []
    for number, wire_type, value in _fields(data):
        if not managed_fields and _is_managed_fields(number, value):
            continue
        if wire_type == 0:
            shown = "<now>" if abs(value - time.time()) < CLOCK_SKEW_MAX_S else str(value)
        elif wire_type == 2:
            shown = _show_bytes(value, depth + 1, managed_fields)
        else:
            shown = "0x" + value.hex()
        lines.append(f"{pad}{number}: {shown}")
    return "{\n" + "".join(line + "\n" for line in lines) + "  " * depth + "}"


def show_protobuf(data, mask, managed_fields=False):
    """One message, or the frames of a watch (each with its length in four bytes before it)."""
    messages = [data]
    if not data.startswith(PROTOBUF_MAGIC) and data:
        messages, at = [], 0
        while at < len(data):
            size = int.from_bytes(data[at:at + 4], "big")
            messages.append(data[at + 4:at + 4 + size])
            at += 4 + size
    shown = []
    for message in messages:
        text = _show_bytes(message, 0, managed_fields)
        if '1: "BOOKMARK"' in text[:20]:  # its revision is anybody's
            text = re.sub(r'^( *6: ")\d+(?="$)', r"\1<rv>", text, flags=re.M)
        text = mask(text)
        if not _is_plain_bookmark(text):
            shown.append(text)
    return "\n".join(shown)


# ---- Protobuf from the same notation, for the bodies of requests.
_PROTO_TOKEN = re.compile(r'\s*(?:(\d+):|("(?:[^"\\]|\\.)*")|(base64 \S+)|(k8s )|([{}])|(\d+))')


def _put_varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def protobuf_from_text(text):
    """The bytes of `k8s { 1: { 1: "v1" 2: "ConfigMap" } 2: {...} }`."""
    data, at = _read_message_value(text, 0)
    if text[at:].strip():
        raise ValueError(f"after the message: {text[at:at + 40]!r}")
    return data


def _read_message_value(text, at):
    match = _PROTO_TOKEN.match(text, at)
    if not match:
        raise ValueError(f"at {text[at:at + 40]!r}")
    _, string, encoded, magic, brace, _ = match.groups()
    if string is not None:
        return string[1:-1].replace('\\"', '"').replace("\\\\", "\\").encode(), match.end()
    if encoded:
        return base64.b64decode(encoded[7:]), match.end()
    if magic:
        data, at = _read_message_value(text, match.end())
        return PROTOBUF_MAGIC + data, at
    if brace != "{":
        raise ValueError(f"at {text[at:at + 40]!r}")
    return _read_fields(text, match.end())


def _read_fields(text, at):
    out = b""
    while True:
        match = _PROTO_TOKEN.match(text, at)
        if match and match.group(5) == "}":
            return out, match.end()
        if not match or not match.group(1):
            raise ValueError(f"at {text[at:at + 40]!r}")
        number, at = int(match.group(1)), match.end()
        scalar = re.compile(r"\s*(\d+)(?!:)\b").match(text, at)
        if scalar:
            out += _put_varint(number << 3) + _put_varint(int(scalar.group(1)))
            at = scalar.end()
        else:
            value, at = _read_message_value(text, at)
            out += _put_varint(number << 3 | 2) + _put_varint(len(value)) + value
