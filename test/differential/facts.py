"""The facts of openapi/facts, as far as the generator of the suite needs them."""
import os

FACTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "openapi", "facts")


class Field:
    """A row of a field: its type as it stands there ("*int32", "[]string", "{}bytes")."""

    def __init__(self, columns):
        self.name, _, _, self.type = columns[:4]
        self.flags = dict(flag.partition("=")[::2] for flag in columns[4:])

    def has(self, flag):
        return flag in self.flags

    def values(self, flag):
        return self.flags.get(flag, "").split(",") if flag in self.flags else []


class Resource:
    def __init__(self, row):
        (self.group_version, self.name, self.kind, _, namespaced, *_) = row
        self.verbs = row[8].split(",")
        self.namespaced = namespaced == "true"
        self.group, _, self.version = self.group_version.rpartition("/")

    def prefix(self, namespace):
        root = f"/apis/{self.group_version}" if self.group else "/api/v1"
        return root + (f"/namespaces/{namespace}" if self.namespaced else "") + "/" + self.name


def resources():
    """{"apps/v1/deployments": Resource}, subresources too."""
    with open(os.path.join(FACTS, "resources.tsv"), encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file][1:]
    return {f"{row[0]}/{row[1]}": Resource(row) for row in rows}


class Types:
    def __init__(self):
        self._fields = {}  # name of a type -> [Field]
        self._words = {}   # name of a type -> "struct", or the word of its JSON form
        with open(os.path.join(FACTS, "types.tsv"), encoding="utf-8") as file:
            for line in file:
                columns = line.rstrip("\n").split("\t")
                if columns[0].startswith("#"):
                    continue
                if columns[0].startswith("io.k8s."):
                    current = columns[0]
                    self._fields[current] = []
                    self._words[current] = columns[2]
                else:
                    self._fields[current].append(Field(columns[1:]))

    def of_kind(self, resource):
        group = (resource.group or "core").split(".")[0]
        end = f".{group}.{resource.version}.{resource.kind}"
        return next(name for name in self._fields if name.endswith(end))

    def fields(self, type_name):
        """{JSON name: Field} of a struct, what it inlines included; None of anything else."""
        if self.word(type_name) != "struct":
            return None
        found = {}
        for field in self._fields[type_name]:
            if field.has("inline"):
                found.update(self.fields(field.type.lstrip("*")) or {})
            else:
                found[field.name] = field
        return found

    def word(self, type_name):
        """The word of a type ("string", "int32", "struct", "quantity", "time" …)."""
        return self._words.get(type_name, type_name)
