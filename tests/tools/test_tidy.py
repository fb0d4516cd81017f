# SPDX-License-Identifier: MIT
"""Each rule of tools/tidy on text that it must pass and on text that it must not."""

import unittest

from loader import load

tidy = load("tidy")

HEAD = "/* SPDX-License-Identifier: MIT\n * Copyright (c) 2026 The authors */\n"
# Written so that tools/tidy does not find them in this file.
LEFTOVERS = ("TO" + "DO", "FIX" + "ME", "X" + "XX")


class RuleCase(unittest.TestCase):
    def rules(self, code, path="src/base/thing.c"):
        return [finding.rule for finding in tidy.check_c_text(path, HEAD + code)]

    def assert_clean(self, code, path="src/base/thing.c"):
        found = [str(finding) for finding in tidy.check_c_text(path, HEAD + code)]
        self.assertEqual(found, [], code)

    def assert_found(self, rule, code, path="src/base/thing.c"):
        self.assertEqual(self.rules(code, path), [rule], code)


def body(statements):
    return "void f(int x) {\n" + statements + "\n}\n"


class Calls(RuleCase):
    def test_every_banned_function_is_found_with_its_replacement_named(self):
        for name, replacement in tidy.BANNED.items():
            findings = tidy.check_c_text("bench/a.c", HEAD + body(f"{name}(x);"))
            self.assertEqual([finding.rule for finding in findings], ["banned"], name)
            self.assertIn(replacement, findings[0].text)

    def test_every_raw_allocation_is_found_under_src(self):
        for name in tidy.ALLOCATION:
            self.assert_found("alloc", body(f"{name}(x);"))

    def test_the_line_is_that_of_the_call(self):
        finding = tidy.check_c_text("src/a.c", HEAD + "\nvoid f(void) {\n    free(0);\n}\n")[0]
        self.assertEqual(str(finding), "src/a.c:5: [alloc] free: use rusm_free")

    def test_raw_allocation_is_allowed_in_the_allocator_in_tests_and_outside_src(self):
        for path in ("src/base/alloc.c", "src/otp/x_test.c", "bench/a.c"):
            self.assert_clean(body("free(malloc(1));"), path)

    def test_resetting_a_signal_passes(self):
        self.assert_clean(body("signal(SIGPIPE, SIG_IGN); signal(number, SIG_DFL);"))

    def test_calls_through_members_and_longer_names_pass(self):
        self.assert_clean(body("a->free(x); a.free(x); rusm_free(x); my_strcpy(x); snprintf(x);"))

    def test_comments_and_strings_pass(self):
        self.assert_clean(body('/* strcpy(x) */ g("sprintf(x)"); // rand()'))
        self.assert_clean(body('g("\\"", \'"\'); /* " */ h("atoi(x)");'))

    def test_no_test_sleeps(self):
        for name in tidy.SLEEPS:
            self.assert_found("sleep", body(f"{name}(1);"), "src/otp/x_test.c")
            self.assert_found("sleep", body(f"{name}(1);"), "tests/x.c")
            self.assert_clean(body(f"{name}(1);"), "bench/x.c")
        self.assert_clean(body("rusm_sleep(1);"), "tests/x.c")


class State(RuleCase):
    def test_mutable_objects_at_file_level_are_found(self):
        for code in (
            "static int count;",
            "int count = 3;",
            "static int a[3] = {1, 2, 3};",
            "static struct thing *head;",
            "static const char *names[] = {0};",
            "static _Atomic int n;",
            "static void (*hook)(int);",
            "static struct { int x; } place;",
            "static struct thing thing __attribute__((aligned(64))) = {.f = g};",
            "static _Atomic(int) n;",
            "static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;",
        ):
            self.assert_found("state", code + "\n")

    def test_mutable_statics_in_functions_are_found(self):
        self.assert_found("state", body("static int n = 0; n++;"))
        self.assert_found("state", body("if (x) { static char buf[9]; g(buf); }"))

    def test_constants_types_and_prototypes_pass(self):
        for code in (
            "static const int count = 3;",
            "static const char *const names[] = {0};",
            "static const struct table table = {.f = g, .h = {1, 2}};",
            "typedef struct thing { int x; } thing;",
            "struct thing;",
            "struct thing { int x; };",
            "enum { A, B };",
            "enum kind { C, D };",
            "int f(int (*callback)(void), struct thing *thing);",
            "void f(void) __attribute__((noreturn));",
            '_Static_assert(sizeof(int) == 4, "int");',
            "typedef void (*fn)(void *arg);",
            "static inline int g(void) {\n    return 1;\n}",
            "static void (*const hook)(int) = g;",
        ):
            self.assert_clean(code + "\n")
        self.assert_clean(body("static const int table[] = {1, 2}; g(table);"))

    def test_thread_locals_only_in_their_file(self):
        code = "static _Thread_local struct worker *current;\n"
        self.assert_found("thread-local", code, "src/otp/timer.c")
        self.assert_clean(code, "src/otp/current.c")

    def test_outside_src_and_in_tests_it_is_allowed(self):
        for path in ("bench/a.c", "src/otp/a_test.c", "src/otp/test_a.h", "src/otp/a_fixture.c"):
            self.assert_clean("static int count;\n", path)

    def test_both_branches_of_an_if_are_read(self):
        code = "#if A\nint f(void) {\n#else\nlong f(void) {\n#endif\n    return 1;\n}\nint n;\n"
        self.assert_found("state", code)

    def test_headers_with_extern_c(self):
        guard = '#ifdef __cplusplus\nextern "C" {\n#endif\n'
        end = "#ifdef __cplusplus\n}\n#endif\n"
        self.assert_clean(guard + "int f(void);\n" + end, "src/base/a.h")
        self.assert_found("state", guard + "static int n;\n" + end, "src/base/a.h")


class Statements(RuleCase):
    def test_bodies_without_braces_are_found(self):
        for statement in (
            "if (x) g();",
            "if (x) { g(); } else h();",
            "for (;;) g();",
            "while (x) g();",
            "while (x);",
            "do g(); while (x);",
        ):
            self.assertIn("braces", self.rules(body(statement)), statement)

    def test_bodies_with_braces_pass(self):
        self.assert_clean(body("if (g(x)) { h(); } else if (x) { h(); } else { h(); }"))
        self.assert_clean(body("do { g(); } while (x); for (;;) { } while (x) { }"))
        self.assert_clean(body("#if A\nif (x)\n#else\nif (y)\n#endif\n{ g(); }"))

    def test_goto_leads_to_fail_only(self):
        self.assert_clean(body("goto fail; fail: goto fail_socket; fail_socket: g();"))
        self.assert_found("goto", body("goto again; again: g();"))

    def test_parentheses_around_a_returned_value(self):
        self.assert_found("return-parens", body("return (x);"))
        self.assert_clean(body("return (x) + 1;"))
        self.assert_clean(body("return (struct s){1};"))
        self.assert_clean(body("return (int)x;"))

    def test_extern(self):
        self.assert_found("extern", "extern int f(void);\n")
        self.assert_clean("extern const int n;\n", "src/base/a.h")

    def test_atomics_state_their_order(self):
        for name in ("load", "store", "fetch_add", "compare_exchange_weak", "exchange"):
            self.assert_found("atomic-order", body(f"atomic_{name}(&n);"))
            self.assert_clean(body(f"atomic_{name}_explicit(&n, memory_order_relaxed);"))
        self.assert_clean(body("atomic_load(&n);"), "src/otp/a_test.c")
        self.assert_found("atomic-order", body("__sync_fetch_and_add(&n, 1);"))
        self.assert_clean(body("atomic_init(&n, 0); atomic_thread_fence(memory_order_release);"))


class Lengths(RuleCase):
    def test_functions(self):
        self.assert_clean(body("    g();\n" * (tidy.FUNCTION_LINES_MAX - 3)))
        self.assert_found(
            "function-length", body("    g();\n" * (tidy.FUNCTION_LINES_MAX - 2))
        )

    def test_files(self):
        def rules(path, count):
            return [finding.rule for finding in tidy.check_text(path, "x\n" * count)]

        self.assertEqual(rules("a.c", tidy.FILE_LINES_MAX), [])
        self.assertEqual(rules("a.c", tidy.FILE_LINES_MAX + 1), ["file-length"])
        self.assertEqual(rules("a.h", tidy.HEADER_LINES_MAX), [])
        self.assertEqual(rules("a.h", tidy.HEADER_LINES_MAX + 1), ["file-length"])
        self.assertEqual(rules("a.txt", tidy.FILE_LINES_MAX + 1), [])


class Text(unittest.TestCase):
    def rules(self, path, text):
        return [finding.rule for finding in tidy.check_text(path, text)]

    def test_leftovers(self):
        for word in LEFTOVERS:
            self.assertEqual(self.rules("a.c", f"/* {word}: later */\n"), ["leftover"])
            self.assertEqual(self.rules("a.md", f"# Title\n\n{word}\n"), ["leftover"])
        self.assertEqual(self.rules("a.c", '"/tmp/rusm.' + "X" * 6 + '"\n'), [])

    def test_titles(self):
        self.assertEqual(self.rules("docs/a.md", "\n# Title\n\nText\n"), [])
        self.assertEqual(self.rules("docs/a.md", "Text\n"), ["title"])
        self.assertEqual(self.rules("docs/a.md", "## Title\n"), ["title"])
        self.assertEqual(self.rules("docs/a.md", ""), ["title"])

    def test_licence(self):
        for text in ("int f(void);\n", "/* SPDX-License-Identifier: MIT */\nint f(void);\n", ""):
            rules = [finding.rule for finding in tidy.check_c_text("src/a.h", text)]
            self.assertEqual(rules, ["licence"], text)


class Built(unittest.TestCase):
    def unbuilt(self, files):
        return [finding.path for finding in tidy.check_built(sorted(files), files.__getitem__)]

    def test_named_in_its_folder_or_above(self):
        self.assertEqual(self.unbuilt({"src/a/x.c": "", "src/a/CMakeLists.txt": "f(x.c)"}), [])
        self.assertEqual(self.unbuilt({"src/a/x.c": "", "src/CMakeLists.txt": "f(a/x.c)"}), [])
        self.assertEqual(self.unbuilt({"x.c": "", "CMakeLists.txt": "f(x.c)"}), [])

    def test_not_named(self):
        for text in ("f(xx.c)", "f(a/x.c)", "", "# x"):
            files = {"src/a/x.c": "", "src/a/CMakeLists.txt": text}
            self.assertEqual(self.unbuilt(files), ["src/a/x.c"], text)

    def test_named_through_a_variable(self):
        loop = "foreach(name IN ITEMS one two)\n  f(engines/${name}.c)\nendforeach()"
        files = {"b/engines/one.c": "", "b/engines/three.c": "", "b/CMakeLists.txt": loop}
        self.assertEqual(self.unbuilt(files), ["b/engines/three.c"])


class ExceptionList(unittest.TestCase):
    def setUp(self):
        self.finding = tidy.Finding("src/a.c", 3, "state", "mutable static object (static int n)")

    def test_covers_by_path_folder_and_word(self):
        for place in ("src/a.c", "src/", "src/a.c:n"):
            listed = tidy.Exceptions(f"state {place} The reason.\n")
            self.assertTrue(listed.covers(self.finding), place)
            self.assertEqual(list(listed.unused()), [])

    def test_other_rules_places_and_words_are_not_covered(self):
        for line in ("alloc src/a.c", "state src/b.c", "state src/a.c:m"):
            listed = tidy.Exceptions(line + " The reason.\n")
            self.assertFalse(listed.covers(self.finding), line)
            self.assertEqual(len(list(listed.unused())), 1)

    def test_a_reason_and_a_known_rule_are_needed(self):
        self.assertEqual(len(tidy.Exceptions("state src/a.c\n").findings), 1)
        self.assertEqual(len(tidy.Exceptions("stat src/a.c The reason.\n").findings), 1)
        self.assertEqual(tidy.Exceptions("# a comment\n\n").findings, [])


if __name__ == "__main__":
    unittest.main()
