// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/*
 * A small lexer for the engine sources the node sends (C, TypeScript, Rust, Go, Erlang): enough to
 * read them well, and a few hundred bytes instead of a library. It gives tokens, never markup.
 */

export type TokenKind = "plain" | "comment" | "string" | "number" | "keyword" | "type" | "macro";

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

const KEYWORDS = new Set(
  (
    "alignas as async await break case catch class const continue default defer delete do else " +
    "enum export extends extern false finally fn for from func function goto if impl import in " +
    "inline interface let loop match mod mut new null NULL nullptr of package pub register " +
    "restrict return self sizeof static struct super switch this throw true try type typedef " +
    "typeof undefined union use var void volatile while yield"
  ).split(" "),
);

const TYPES = new Set(
  (
    "bool char double float int long short signed size_t ssize_t unsigned string number boolean " +
    "unknown never u8 u16 u32 u64 i8 i16 i32 i64 usize isize f32 f64 str String Vec Option Result"
  ).split(" "),
);

/*
 * One alternative a kind, tried in this order at each place. Unterminated strings end at the line,
 * so that a stray quote cannot swallow the rest.
 */
const LEXEME = new RegExp(
  [
    /(?<comment>\/\*[\s\S]*?(?:\*\/|$)|\/\/[^\n]*)/,
    /(?<string>"(?:[^"\\\n]|\\[\s\S])*"?|'(?:[^'\\\n]|\\[\s\S])*'?|`(?:[^`\\]|\\[\s\S])*`?)/,
    /(?<macro>^[ \t]*#[ \t]*[a-z]+|#\[[^\]\n]*\])/,
    /(?<number>\b(?:0[xX][0-9a-fA-F_]+|[0-9][0-9_]*(?:\.[0-9_]+)?(?:[eE][+-]?[0-9]+)?)[a-zA-Z0-9]*)/,
    /(?<word>[A-Za-z_$][A-Za-z0-9_$]*)/,
  ]
    .map((part) => part.source)
    .join("|"),
  "gm",
);

function wordKind(word: string): TokenKind {
  if (KEYWORDS.has(word)) return "keyword";
  if (TYPES.has(word) || /^[a-z0-9_]+_t$/.test(word)) return "type";
  if (/^[A-Z][A-Z0-9_]{2,}$/.test(word)) return "macro";
  return "plain";
}

function kindOf(match: RegExpMatchArray): TokenKind {
  const groups = match.groups ?? {};
  if (groups["comment"] !== undefined) return "comment";
  if (groups["string"] !== undefined) return "string";
  if (groups["macro"] !== undefined) return "macro";
  if (groups["number"] !== undefined) return "number";
  return wordKind(match[0]);
}

/** Joined together, the tokens are the source again, byte for byte. */
export function highlight(source: string): Token[] {
  const tokens: Token[] = [];
  let plain = "";
  let from = 0;
  const flush = () => {
    if (plain !== "") tokens.push({ kind: "plain", text: plain });
    plain = "";
  };
  for (const match of source.matchAll(LEXEME)) {
    plain += source.slice(from, match.index);
    from = match.index + match[0].length;
    const kind = kindOf(match);
    if (kind === "plain") {
      plain += match[0];
    } else {
      flush();
      tokens.push({ kind, text: match[0] });
    }
  }
  plain += source.slice(from);
  flush();
  return tokens;
}
