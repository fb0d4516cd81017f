# SPDX-License-Identifier: MIT
"""Reads C well enough for the checkers: comments and literals apart, tokens, declarations.

No preprocessing takes place. All branches of an #if are read, each as if it stood alone after the
text before the #if, so that braces opened in two branches do not count twice.
"""

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

LEX = re.compile(
    r"""
      (?P<block>/\*.*?(?:\*/|\Z))
    | (?P<line>//(?:\\\n|[^\n])*)
    | (?P<string>"(?:\\.|[^"\\\n])*")
    | (?P<char>'(?:\\.|[^'\\\n])*')
    """,
    re.VERBOSE | re.DOTALL,
)
TOKEN = re.compile(r"[A-Za-z_]\w*|\.?\d[\w.]*|\.\.\.|->|[^\s\w]")
DIRECTIVE = re.compile(r"[ \t]*#[ \t]*(\w*)(?:\\\n|[^\n])*")


def blank(text):
    """`text` with everything but line breaks replaced by spaces."""
    return re.sub(r"[^\n]", " ", text)


def code_only(text):
    """The source without comments and without what is inside literals, same length and lines."""

    def replace(match):
        literal = match.group()
        if match.lastgroup in ("string", "char"):
            return literal[0] + blank(literal[1:-1]) + literal[-1]
        return blank(literal)

    return LEX.sub(replace, text)


def comments(text):
    """Yields (line, comment) for each comment."""
    for match in LEX.finditer(text):
        if match.lastgroup in ("block", "line"):
            yield text.count("\n", 0, match.start()) + 1, match.group()


@dataclass(frozen=True)
class Token:
    text: str
    line: int
    directive: bool = False

    @property
    def is_name(self):
        return self.text[0].isalpha() or self.text[0] == "_"


def tokens(code):
    """Tokens of what code_only returned; a whole preprocessor directive is one token, its name."""
    out = []
    position = 0
    line = 1
    at_line_start = True
    while position < len(code):
        char = code[position]
        if char == "\n":
            line += 1
            position += 1
            at_line_start = True
            continue
        if at_line_start:
            match = DIRECTIVE.match(code, position)
            if match:
                out.append(Token("#" + match.group(1), line, directive=True))
                line += match.group().count("\n")
                position = match.end()
                continue
        match = TOKEN.match(code, position)
        if match:
            out.append(Token(match.group(), line))
            position = match.end()
            at_line_start = False
        else:
            position += 1
    return out


TEST_NAME = re.compile(r"(?:test_\w+|\w+_(?:test|fixture|testing))\.[ch]$")


def is_test(path):
    """Whether a C file is a test or only helps tests: by its name, or as it is under tests/."""
    return path.startswith("tests/") or bool(TEST_NAME.match(Path(path).name))


OPEN = {"(": ")", "[": "]", "{": "}"}
CLOSE = set(OPEN.values())


def match_forward(toks, start):
    """Index of the bracket that closes the one at `start`; len(toks) if there is none."""
    depth = 0
    for index in range(start, len(toks)):
        if toks[index].directive:
            continue
        if toks[index].text in OPEN:
            depth += 1
        elif toks[index].text in CLOSE:
            depth -= 1
            if depth == 0:
                return index
    return len(toks)


@dataclass
class Function:
    name: str
    first_line: int
    last_line: int


@dataclass
class Declaration:
    """A declaration that ended in `;`, at file level or one with `static` inside a function."""

    toks: list
    line: int
    function: str = ""


@dataclass
class Unit:
    functions: list = field(default_factory=list)
    declarations: list = field(default_factory=list)


@dataclass
class _State:
    """Where the parser is: what is open, and the declaration read so far at file level."""

    pending: list = field(default_factory=list)
    body_depth: int = 0  # braces open within a function body
    elided_depth: int = 0  # brackets open within a struct body or an initialiser
    function: Function = None
    local: list = None  # tokens of a static declaration inside a function

    def copy(self):
        return _State(
            list(self.pending),
            self.body_depth,
            self.elided_depth,
            self.function,
            None if self.local is None else list(self.local),
        )


def _function_name(pending):
    """The name of the function that these tokens begin, if a `{` here would begin its body."""
    texts = [tok.text for tok in pending]
    if ")" not in texts or "=" in texts or "typedef" in texts:
        return None
    depth = 0
    for index, text in enumerate(texts):
        if text == "(" and depth == 0 and index > 0 and pending[index - 1].is_name:
            if texts[index - 1] not in ("__attribute__", "alignas", "_Alignas", "__declspec"):
                return texts[index - 1]
        depth += text in OPEN
        depth -= text in CLOSE
    return None


class _Parser:
    def __init__(self, toks):
        self.toks = toks
        self.unit = Unit()
        self.state = _State()
        self.branches = []

    def directive(self, tok):
        if tok.text in ("#if", "#ifdef", "#ifndef"):
            self.branches.append(self.state.copy())
        elif tok.text in ("#else", "#elif") and self.branches:
            self.state = self.branches[-1].copy()
        elif tok.text == "#endif" and self.branches:
            self.branches.pop()

    def in_body(self, tok):
        state = self.state
        if state.local is not None:
            state.elided_depth += tok.text == "{"
            state.elided_depth -= tok.text == "}"
            if tok.text == ";" and state.elided_depth == 0:
                self.unit.declarations.append(
                    Declaration(state.local, state.local[0].line, state.function.name)
                )
                state.local = None
            elif state.elided_depth == 0 and tok.text != "}":
                state.local.append(tok)
            return
        if tok.text in ("static", "_Thread_local", "thread_local"):
            state.local = [tok]
        elif tok.text == "{":
            state.body_depth += 1
        elif tok.text == "}":
            state.body_depth -= 1
            if state.body_depth == 0:
                state.function.last_line = tok.line
                self.unit.functions.append(state.function)
                state.function = None

    def at_file_level(self, index, tok):
        state = self.state
        if state.elided_depth > 0:
            state.elided_depth += tok.text == "{"
            state.elided_depth -= tok.text == "}"
        elif tok.text == "{":
            texts = [pending.text for pending in state.pending]
            if texts[:1] == ["extern"] and texts[1:] in (['"', '"'], ['"']):
                state.pending = []  # extern "C": what is inside is at file level too
                return
            name = _function_name(state.pending)
            if name:
                state.function = Function(name, state.pending[0].line, tok.line)
                state.body_depth = 1
                state.pending = []
            else:
                state.elided_depth = 1
                state.pending.append(Token("{}", tok.line))
        elif tok.text == "}":
            state.pending = []  # the end of extern "C"
        elif tok.text == ";":
            if state.pending:
                self.unit.declarations.append(Declaration(state.pending, state.pending[0].line))
            state.pending = []
        else:
            state.pending.append(tok)

    def parse(self):
        for index, tok in enumerate(self.toks):
            if tok.directive:
                self.directive(tok)
            elif self.state.function:
                self.in_body(tok)
            else:
                self.at_file_level(index, tok)
        return self.unit


def parse(toks):
    return _Parser(toks).parse()


def project_files(root):
    """The files of the project as paths from `root`: in git or about to be, none ignored."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return sorted(name for name in listing.split("\0") if name and (Path(root) / name).is_file())
