"""What can be wrong with a valid object, field by field, from the facts of its types."""

class Place:
    """A field that a full object has."""

    def __init__(self, pointer, shown, owner, field, value):
        self.pointer, self.shown = pointer, shown
        self.owner, self.field, self.value = owner, field, value
        self.type = field.type.lstrip("*")


def places(types, owner, value, pointer="", shown=""):
    """All fields of the object that its type knows, outer before inner. Of a list, the first."""
    fields = types.fields(owner)
    for name, child in value.items():
        if name not in fields:
            continue
        field = fields[name]
        place = Place(f"{pointer}/{name}", f"{shown}.{name}".lstrip("."), owner, field, child)
        yield place
        inner = place.type
        if inner.startswith("[]") and child and isinstance(child[0], dict):
            yield from places(types, inner[2:].lstrip("*"), child[0], place.pointer + "/0",
                              place.shown + "[0]")
        elif isinstance(child, dict) and types.fields(inner) is not None:
            yield from places(types, inner, child, place.pointer, place.shown)


def _replace(place, value):
    return [["replace", place.pointer, value]]


def wrong(types, place):
    """(what is wrong, JSON patch) of values that have the right type."""
    value, word = place.value, types.word(place.type)
    if place.field.has("required"):
        yield "missing", [["remove", place.pointer]]
    if place.field.has("enum"):
        yield "none of the enum", _replace(place, "Bogus")
    elif word == "string":
        yield "no name", _replace(place, "-Bad Value!")
    if word == "string":
        yield "empty", _replace(place, "")
    elif word in ("int32", "int64"):
        yield "negative", _replace(place, -1)
        yield "zero", _replace(place, 0)
    elif word == "quantity":
        yield "negative", _replace(place, "-1")
    elif word == "int_or_string":
        yield "negative", _replace(place, -1)
        yield "no percentage", _replace(place, "x")
    elif isinstance(value, list):
        yield "empty", _replace(place, [])
        if value and (place.field.has("list-map-keys") or
                      place.field.flags.get("list-type") == "set"):
            yield "with a duplicate", [["add", place.pointer + "/-", value[0]]]
    elif isinstance(value, dict):
        yield "empty", _replace(place, {})
        if place.type.startswith("{}") and value:
            yield "with a bad key", [["add", place.pointer + "/-bad key",
                                      next(iter(value.values()))]]


# word of a type: a JSON value that it is not.
_MISTYPED = {"string": 5, "int32": "x", "int64": 1.5, "bool": "yes", "bytes": "?", "quantity": "x",
             "time": "yesterday", "micro_time": "today", "int_or_string": True,
             "raw_extension": "x"}


def mistyped(types, place):
    """(the class of the type, JSON patch) with a value of another JSON type."""
    if place.type.startswith("[]"):
        return "list", _replace(place, {})
    if place.type.startswith("{}"):
        return "map", _replace(place, "x")
    if types.fields(place.type) is not None:
        return "object", _replace(place, [])
    word = types.word(place.type)
    return word, _replace(place, _MISTYPED[word]) if word in _MISTYPED else None


def changed(types, place):
    """A JSON patch that gives the field another valid-looking value, or None."""
    value, word = place.value, types.word(place.type)
    others = [v for v in place.field.values("enum") if v != value]
    if others:
        return _replace(place, others[0])
    if isinstance(value, bool):
        return _replace(place, not value)
    if isinstance(value, int):
        return _replace(place, value + 1)
    if word == "string":
        return _replace(place, value + "x")
    if word == "quantity":
        return _replace(place, "7")
    if place.type.startswith("{}"):
        return [["add", place.pointer + "/added", next(iter(value.values()), "x")]]
    if isinstance(value, list) and value:
        return [["remove", place.pointer + "/0"]]
    return None
