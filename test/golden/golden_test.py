#!/usr/bin/env python3
"""Tests of the runner itself: what it must see as a difference, and what not."""
import os
import re
import unittest

import golden
import masks
import transcript
import wire_text


def show(text, content_type="application/json", literal="", rules=()):
    answer = golden.Answer(200, [("Content-Type", content_type)], text.encode())
    return golden.show_answer(answer, masks.Masker(literal, list(rules)))


def body(text):
    return text.split("\n\n", 1)[1]


class JsonTest(unittest.TestCase):
    def test_order_of_keys_escapes_and_numbers_are_kept(self):
        self.assertEqual(body(show('{"b":"\\u003c","a":1.0,"c":[1e3,{}]}\n')),
                         '{"b":"\\u003c","a":1.0,"c":[1e3,{}]}')

    def test_layouts_are_told_apart(self):
        first_line = lambda text: show(text).split("\n")[0]
        self.assertEqual(first_line('{"a":1}\n'), "---- 200")
        self.assertEqual(first_line('{"a":1}'), "---- 200 (no newline)")
        self.assertEqual(first_line('{\n  "a": 1\n}\n'), "---- 200 (pretty)")
        self.assertEqual(first_line('{"a": 1}\n'),
                         "---- 200 (not JSON: neither compact nor indented)")

    def test_broken_json_is_shown_and_refused(self):
        for text in ['{"a":}', '{"a"', "[1,]", "{,}", '{"a":1}}', "hello", '{"a" 1}', ""]:
            with self.assertRaises(wire_text.NotJson, msg=text):
                wire_text.parse_documents(text)

    def test_managed_fields_are_left_out_at_every_depth(self):
        text = '{"items":[{"metadata":{"name":"a","managedFields":[{"x":{}}]}}]}\n'
        self.assertEqual(body(show(text)), '{"items":[{"metadata":{"name":"a"}}]}')

    def test_frames_are_shown_one_a_line_without_plain_bookmarks(self):
        plain = '{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"5"}}}\n'
        end = '{"type":"BOOKMARK","object":{"a":{"k8s.io/initial-events-end":"true"}}}\n'
        self.assertEqual(body(show('{"type":"ADDED"}\n' + end + plain + plain)),
                         '{"type":"ADDED"}\n' + end.strip())


class ProtobufTest(unittest.TestCase):
    def test_text_to_bytes_and_back(self):
        text = ('k8s {\n  1: {\n    1: "v1"\n    2: "ConfigMap"\n  }\n'
                '  2: {\n    1: ""\n    4: 300\n  }\n}')
        data = wire_text.protobuf_from_text(text)
        self.assertTrue(data.startswith(b"k8s\x00\x0a\x0f\x0a\x02v1"))
        self.assertEqual(wire_text.show_protobuf(data, lambda t: t), text)

    def test_bytes_that_are_neither_text_nor_message_are_base64(self):
        text = "{\n  2: base64 AP8B\n}"
        self.assertEqual(wire_text.show_protobuf(b"\0\0\0\5" + wire_text.protobuf_from_text(text),
                                                 lambda t: t), text)


class MaskTest(unittest.TestCase):
    UID_A, UID_B = "11111111-2222-3333-4444-555555555555", "21111111-2222-3333-4444-555555555555"

    def test_same_value_same_number(self):
        numbers = masks.Numbers()
        text = '{"a":"%s","b":"%s","c":"%s"}\n' % (self.UID_A, self.UID_B, self.UID_A)
        self.assertEqual(numbers.assign(body(show(text))),
                         '{"a":"<uid:1>","b":"<uid:2>","c":"<uid:1>"}')

    def test_replay_accepts_other_values_in_the_same_places(self):
        expected = '{"a":"<uid:2>","b":"<uid:7>"}'
        text = '{"a":"%s","b":"%s"}\n' % (self.UID_A, self.UID_B)
        got = masks.Numbers().unify(expected, body(show(text)))
        self.assertEqual(got, expected)

    def test_replay_sees_one_value_where_two_are_expected(self):
        expected = '{"a":"<uid:1>","b":"<uid:2>"}'
        text = '{"a":"%s","b":"%s"}\n' % (self.UID_A, self.UID_A)
        got = masks.Numbers().unify(expected, body(show(text)))
        self.assertNotEqual(got, expected)

    def test_replay_sees_two_values_where_one_is_expected(self):
        numbers, expected = masks.Numbers(), '{"a":"<uid:1>"}'
        unify = lambda uid: numbers.unify(expected, body(show('{"a":"%s"}\n' % uid)))
        self.assertEqual(unify(self.UID_A), expected)
        self.assertNotEqual(unify(self.UID_B), expected)

    def test_times_of_the_request_are_not_masked(self):
        text = '{"a":"2026-01-02T03:04:05Z","b":"2026-01-02T03:04:06Z"}\n'
        self.assertEqual(body(show(text, literal="x 2026-01-02T03:04:05Z")),
                         '{"a":"2026-01-02T03:04:05Z","b":"<now>"}')

    def test_ages_are_masked_in_tables_only(self):
        for text, want in [('{"kind":"Table","a":"5m3s"}', '{"kind":"Table","a":"<age>"}'),
                           ('{"kind":"Other","a":"5m3s"}', '{"kind":"Other","a":"5m3s"}')]:
            self.assertEqual(body(show(text + "\n")), want)

    def test_masks_of_the_file(self):
        rules = [(re.compile("(gen-)[a-z]{5}"), r"\1<suffix>")]
        self.assertEqual(body(show('{"a":"gen-abcde"}\n', rules=rules)), '{"a":"gen-<suffix>"}')


class TranscriptTest(unittest.TestCase):
    TEXT = ("# description: d\n# namespace: n\n\n### one\n@as alice\n"
            "@save rv = metadata.resourceVersion\n"
            "POST /a?b=c\nAccept: x\n\n{}\n---- 201\nContent-Type: y\n\n{}\n")

    def test_parse_and_print(self):
        script = transcript.Transcript("f", self.TEXT)
        case = script.cases[0]
        self.assertEqual(script.text(), self.TEXT)
        self.assertEqual((case.id, case.method, case.target, case.headers, case.body),
                         ("f: one", "POST", "/a?b=c", [("Accept", "x")], "{}"))
        self.assertEqual((case.options, case.saves),
                         ({"as": "alice"}, [("rv", "metadata.resourceVersion")]))

    def test_mistakes_are_refused(self):
        for text in ["", "### a\n---- 200\n", "### a\nGET a\n---- 200\n",
                     "### a\n@nope\nGET /\n---- 200\n",
                     "### a\nGET /\n---- 200\n### a\nGET /\n---- 200\n",
                     "### a\nGET /\nnope\n\n---- 200\n"]:
            with self.assertRaises(transcript.BadTranscript, msg=text):
                transcript.Transcript("f", text)


class ReadmeTest(unittest.TestCase):
    """The README says how many cases there are and how many are answered the same."""

    ROOT = os.path.join(golden.HERE, "..", "..")

    def counts(self, folder):
        suite = golden.Suite(os.path.join(self.ROOT, "test", folder))
        cases = sum(len(suite.load(path).cases) for path in suite.find_files([]))
        return cases, len(suite.known_differences())

    def test_counts(self):
        with open(os.path.join(self.ROOT, "README.md"), encoding="utf-8") as file:
            readme = re.sub(r"\s+", " ", file.read())
        cases, known = self.counts("golden")
        self.assertIn(f"Of {cases} requests recorded from kube-apiserver 1.36, all but the {known} "
                      "listed in", readme)
        cases, known = self.counts("differential")
        self.assertIn(f"Of {cases} generated requests over every kind and field "
                      f"(`test/differential`), {cases - known} are.", readme)


if __name__ == "__main__":
    unittest.main()
