"""Why an answer differs: a guess from the case and the difference, for summaries and for the
reasons in known_differences.txt."""
import re

# (cause, pattern of the case's id, of the codes "expected got", of the difference): the first fits.
_RULES = [
    ("an expression compiles or does not", r"", r"", r"compilation failed"),
    ("an empty map is a missing one", r" empty$|: change of ", r"",
     r"(?m)^  -.*(\[\]|\{\}|must specify at least one Policy)"),
    ("server-side apply is to come", r": (status )?apply", r"(415|501|404)$", r""),
    ("managedFields are to come", r"", r"", r"(?m)^  -.*(managedFields|f:metadata|\"manager\":)"),
    ("validation of updates is to come", r": (change of|.*update|.*patch)", r"^422 20\d", r""),
    ("validation is to come", r"", r"^422 (20\d|409)", r""),
    ("validation says more than it should", r"", r"^(20\d|409) 422", r""),
    ("validation: other errors", r"", r"^422 422|^$",
     r"(?m)^  [-+].*\"(reason\":\"Field|message\")"),
    ("another code", r"", r"\d", r""),
    ("admission is to come", r"/pods.http", r"", r"kube-api-access|tolerations|priority\b"),
    ("services are to come", r"/services.http", r"", r"clusterIP|ipFamil|nodePort"),
    ("YAML or protobuf differ", r" as (YAML|protobuf)", r"", r""),
    ("a table differs", r" as a table", r"", r""),
    ("resourceVersion changes when nothing else does, or the reverse", r"", r"",
     r"(?m)^  -.*resourceVersion"),
]


def cause_of(case, difference):
    codes = " ".join(re.findall(r"(?m)^  (?:-|\+)---- (\d+)", difference))
    for cause, case_pattern, code_pattern, pattern in _RULES:
        if re.search(case_pattern, case) and re.search(code_pattern, codes) and \
                re.search(pattern, difference):
            return cause
    return "others"
