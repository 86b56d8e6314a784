//! Rust text, as far as it takes to find out what in it is there for planted bugs and observers
//! alone: a mutant of that changes nothing that honest code does.

use std::ops::Range;

/// The text with blanks in place of comments, strings and characters, byte for byte as long.
pub fn masked(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b'/' if bytes[at..].starts_with(b"//") => text[at..]
                .find('\n')
                .map_or(text.len(), |length| at + length),
            b'"' => quoted(bytes, at),
            b'\'' if bytes.get(at + 1) == Some(&b'\\') || bytes.get(at + 2) == Some(&b'\'') => {
                quoted(bytes, at)
            }
            _ => {
                at += 1;
                continue;
            }
        };
        out[at..end]
            .iter_mut()
            .filter(|byte| **byte != b'\n')
            .for_each(|byte| *byte = b' ');
        at = end;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Behind a string or a character that begins here.
fn quoted(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != bytes[start] {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

/// Where the bracket closes that opens here.
pub fn close(masked: &[u8], open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (at, byte) in masked.iter().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// The first of these characters from here on that is in no bracket, or the bracket that ends all.
fn until(masked: &[u8], from: usize, stop: &[u8]) -> Option<usize> {
    let mut at = from;
    while let Some(byte) = masked.get(at) {
        if stop.contains(byte) {
            return Some(at);
        }
        match byte {
            b'(' | b'[' | b'{' => at = close(masked, at)?,
            b')' | b']' | b'}' => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The places where this name stands as a word.
fn words<'a>(masked: &'a str, name: &'a str) -> impl Iterator<Item = usize> + 'a {
    let part = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    masked
        .match_indices(name)
        .map(|(at, _)| at)
        .filter(move |at| {
            let bytes = masked.as_bytes();
            !part(at.checked_sub(1).and_then(|before| bytes.get(before)))
                && !part(bytes.get(at + name.len()))
        })
}

/// A function: its name, its documentation and signature, and its body.
struct Function<'a> {
    name: &'a str,
    head: Range<usize>,
    body: Range<usize>,
}

fn functions(masked: &str) -> Vec<Function<'_>> {
    let bytes = masked.as_bytes();
    let one = |at: usize| {
        let name = masked[at + 3..]
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .next()?;
        let open = until(bytes, at, b"{;").filter(|open| bytes[*open] == b'{')?;
        let line = masked[..at].rfind('\n').map_or(0, |end| end + 1);
        Some(Function {
            name,
            head: line..open,
            body: open..close(bytes, open)?,
        })
    };
    words(masked, "fn")
        .filter(|at| bytes.get(at + 2) == Some(&b' '))
        .filter_map(one)
        .collect()
}

/// The braces of the innermost function that all of this is in.
pub fn body_around(text: &str, one: &Range<usize>) -> Option<Range<usize>> {
    let masked = masked(text);
    let bodies = functions(&masked).into_iter().map(|function| function.body);
    bodies
        .filter(|body| body.start < one.start && one.end <= body.end)
        .max_by_key(|body| body.start)
}

/// What is there for planted bugs and for observers: what a bug makes of a guard, what happens only
/// then, the arguments of contracts and facts, and names that serve nothing else.
pub fn beside_the_point(text: &str) -> Vec<Range<usize>> {
    let masked = masked(text);
    let mut found = arguments_of_hooks(&masked);
    let functions = functions(&masked);
    for function in &functions {
        let docs = text[..function.head.start].lines().rev();
        let docs: Vec<_> = docs
            .take_while(|line| line.trim_start().starts_with("//"))
            .collect();
        let docs = docs
            .iter()
            .rev()
            .map(|line| line.trim().trim_start_matches('/').trim());
        let docs = docs.collect::<Vec<_>>().join(" ");
        let said = ["only a mutant", "Only planted bugs", "a mutant gives"];
        if said.iter().any(|words| docs.contains(words)) {
            found.push(function.head.start..function.body.end);
        }
    }
    loop {
        let names = functions.iter().flat_map(|function| {
            let private = masked[function.head.clone()]
                .trim_start()
                .starts_with("fn ");
            let whole = function.head.start..function.body.end;
            let own = private.then(|| (function.name, whole.clone(), 0..masked.len()));
            lets(&masked, function).into_iter().chain(own)
        });
        let serve_nothing_else = |(name, at, scope): &(&str, Range<usize>, Range<usize>)| {
            let mut uses = words(&masked[scope.clone()], name)
                .map(|place| place + scope.start)
                .filter(|place| !at.contains(place))
                .peekable();
            uses.peek().is_some() && uses.all(|place| covers(&found, &(place..place + 1)))
        };
        let new: Vec<_> = names
            .filter(serve_nothing_else)
            .map(|(_, at, _)| at)
            .filter(|at| !covers(&found, at))
            .collect();
        if new.is_empty() {
            return found;
        }
        found.extend(new);
    }
}

/// Whether one of the spans holds all of this one.
pub fn covers(spans: &[Range<usize>], one: &Range<usize>) -> bool {
    spans
        .iter()
        .any(|span| span.start <= one.start && one.end <= span.end)
}

/// The names that a function gives to values, each with its statement, and where it can be used.
fn lets<'a>(
    masked: &'a str,
    function: &Function<'_>,
) -> Vec<(&'a str, Range<usize>, Range<usize>)> {
    let body = &masked[function.body.clone()];
    let one = |at: usize| {
        let start = function.body.start + at;
        let rest = &masked[start + 4..];
        let name = rest
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .next()?;
        let plain = rest[name.len()..].trim_start().starts_with(['=', ':']);
        let end = until(masked.as_bytes(), start, b";")?;
        (plain && !name.is_empty()).then_some((name, start..end, end..function.body.end))
    };
    words(body, "let")
        .filter(|at| body[*at..].starts_with("let "))
        .filter_map(one)
        .collect()
}

/// What hooks are asked, as far as it says nothing of honest code, and what follows only if a bug
/// is planted.
fn arguments_of_hooks(masked: &str) -> Vec<Range<usize>> {
    let bytes = masked.as_bytes();
    let mut found = Vec::new();
    for hook in ["contract!(", ".fact("] {
        for (at, _) in masked.match_indices(hook) {
            let open = at + hook.len() - 1;
            found.extend(close(bytes, open).map(|end| at..end));
        }
    }
    for (at, _) in masked.match_indices(".flip(") {
        let open = at + ".flip".len();
        let commas = |from: usize| until(bytes, from, b",").map(|comma| comma + 1);
        let (Some(end), Some(honest)) = (close(bytes, open), commas(open + 1)) else {
            continue;
        };
        let Some(mutant) = commas(honest) else {
            continue;
        };
        found.push(mutant..end);
        let start = receiver(bytes, at);
        let negated = masked[..start].trim_end().ends_with('!');
        let never = match masked[honest..mutant - 1].trim() {
            "false" => !negated,
            "true" => negated,
            _ => false,
        };
        if never {
            found.extend(named(masked, start, end));
            found.extend(only_if(masked, start, end));
        }
    }
    found
}

/// Where the expression starts whose method is called here.
fn receiver(bytes: &[u8], dot: usize) -> usize {
    let mut start = dot;
    loop {
        let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let end = start
            - bytes[..start]
                .iter()
                .rev()
                .take_while(|b| b.is_ascii_whitespace())
                .count();
        let name = bytes[..end]
            .iter()
            .rev()
            .take_while(|byte| word(byte))
            .count();
        start = end - name;
        let before = bytes[..start].trim_ascii_end();
        if before.last() != Some(&b'.') {
            return start;
        }
        start = before.len() - 1;
    }
}

/// The blocks that hang on the name that this call, which says no, gives its answer.
fn named(masked: &str, start: usize, end: usize) -> Vec<Range<usize>> {
    let bytes = masked.as_bytes();
    let behind = end + 1;
    let statement = masked[..start]
        .rfind([';', '{', '}'])
        .map_or(0, |at| at + 1);
    let before = masked[statement..start].trim();
    let name = before
        .strip_prefix("let ")
        .and_then(|rest| rest.strip_suffix('='))
        .filter(|_| masked[behind..].starts_with(';'));
    let Some(name) = name else {
        return Vec::new();
    };
    let scope = until(bytes, behind, b"").unwrap_or(masked.len());
    let condition = format!("if {} {{", name.trim());
    let block = |(at, _)| {
        let open = behind + at + condition.len() - 1;
        Some(behind + at..close(bytes, open)?)
    };
    masked[behind..scope]
        .match_indices(&condition)
        .filter_map(block)
        .collect()
}

/// The condition that this call, which says no, is a part of, and the block that hangs on it.
fn only_if(masked: &str, start: usize, end: usize) -> Option<Range<usize>> {
    let bytes = masked.as_bytes();
    let open = until(bytes, end + 1, b"{;").filter(|open| bytes[*open] == b'{')?;
    let condition = words(&masked[..start], "if").last()?;
    let part = &masked[condition..start];
    let whole = !part.contains([';', '}']) && !part.contains("=>");
    (whole && !masked[condition..open].contains("||")).then_some(condition..close(bytes, open)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether each part of the text between two at signs is beside the point.
    fn spared(text: &str) -> Vec<bool> {
        let parts: Vec<&str> = text.split('@').collect();
        let spans = beside_the_point(&parts.concat());
        let ends = parts.iter().scan(0, |end, part| {
            *end += part.len();
            Some(*end)
        });
        let ends: Vec<usize> = ends.collect();
        ends.chunks_exact(2)
            .map(|pair| covers(&spans, &(pair[0]..pair[1])))
            .collect()
    }

    #[test]
    fn masks_keep_their_length() {
        let text = "a(\"}\\\"\", '}', 'x') // {\n'a b";
        let mask = masked(text);
        assert_eq!(mask.len(), text.len());
        assert!(!mask.contains('}') && mask.contains("'a b"), "{mask}");
    }

    #[test]
    fn what_a_bug_makes_of_a_guard_is_spared_and_the_guard_is_not() {
        assert_eq!(
            spared("fn a() { if probe.flip(Bug::A, @a < b@, @a > b@) { @c + d@ } }"),
            [false, true, false]
        );
        assert_eq!(
            spared("fn a() { let b = self.probe.flip(B, @a < b@, true); @b@ }"),
            [false, false]
        );
    }

    #[test]
    fn what_only_a_bug_does_is_spared() {
        assert_eq!(
            spared("fn a() { if @a + b@ && !self\n.probe\n.flip(A, true, x) { @a < b@ } @a - b@ }"),
            [true, true, false]
        );
        assert_eq!(
            spared("fn a() { if probe.flip(A, false, x) || y { @a < b@ } }"),
            [false]
        );
        assert_eq!(
            spared("fn a() { let y = probe.flip(A, false, x); if y { @a@ } else { @b@ } }"),
            [true, false]
        );
        assert_eq!(
            spared("/// What only a\n/// mutant does.\nfn a() { @a@ }\nfn b() { @b@ }"),
            [true, false]
        );
    }

    #[test]
    fn names_that_serve_bugs_and_contracts_alone_are_spared() {
        assert_eq!(
            spared(
                "fn a() { let x = @b < c@; let y = @b > c@; contract!(p, L, x, \"\");\n\
                 p.flip(A, y, x); }"
            ),
            [true, false]
        );
        assert_eq!(
            spared("fn a() { p.flip(A, true, b(c)); }\nfn b() { @x + y@ }"),
            [true]
        );
        assert_eq!(
            spared("fn a() { p.flip(A, b(c), true); }\nfn b() { @x + y@ }"),
            [false]
        );
    }
}
