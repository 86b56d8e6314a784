//! As much of EDN as Jepsen writes: a reader of forms that knows their lines.

/// How deep forms may be nested.
const DEEPEST: usize = 64;

/// A form.
#[derive(Clone, PartialEq, Debug)]
pub enum Edn {
    /// `nil`.
    Nil,
    /// A string.
    Text(String),
    /// A keyword, without its colon.
    Keyword(String),
    /// A whole number, in canonical digits.
    Whole(String),
    /// A symbol, a character, a truth value: as it is written; a number with a point in its
    /// shortest form.
    Other(String),
    /// A vector or list.
    List(Vec<Edn>),
    /// A set.
    Set(Vec<Edn>),
    /// A map.
    Map(Vec<(Edn, Edn)>),
}

impl Edn {
    /// The value of a keyword in a map.
    pub fn get(&self, name: &str) -> Option<&Edn> {
        let Edn::Map(pairs) = self else { return None };
        pairs
            .iter()
            .find(|(key, _)| matches!(key, Edn::Keyword(key) if key == name))
            .map(|(_, value)| value)
    }

    /// Canonical text.
    pub fn write(&self, out: &mut String) {
        match self {
            Edn::Nil => out.push_str("null"),
            Edn::Text(text) => out.push_str(&serde_json::Value::String(text.clone()).to_string()),
            Edn::Keyword(name) => {
                out.push(':');
                out.push_str(name);
            }
            Edn::Whole(text) | Edn::Other(text) => out.push_str(text),
            Edn::List(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Edn::Set(items) => {
                let mut texts: Vec<String> = items
                    .iter()
                    .map(|item| {
                        let mut text = String::new();
                        item.write(&mut text);
                        text
                    })
                    .collect();
                texts.sort();
                out.push_str("#{");
                out.push_str(&texts.join(","));
                out.push('}');
            }
            Edn::Map(pairs) => {
                let mut texts: Vec<String> = pairs
                    .iter()
                    .map(|(key, value)| {
                        let mut text = String::new();
                        key.write(&mut text);
                        text.push(' ');
                        value.write(&mut text);
                        text
                    })
                    .collect();
                texts.sort();
                out.push('{');
                out.push_str(&texts.join(","));
                out.push('}');
            }
        }
    }
}

/// Reads forms one after another.
pub struct Reader<'t> {
    text: &'t str,
    at: usize,
    /// The line at `at`, counted from 1.
    pub line: u32,
}

impl<'t> Reader<'t> {
    /// A reader of this text, which begins in this line.
    pub fn new(text: &'t str, line: u32) -> Self {
        Self { text, at: 0, line }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self) {
        if self.peek() == Some(b'\n') {
            self.line = self.line.saturating_add(1);
        }
        self.at += 1;
    }

    /// Steps over white space, comments and discarded forms, which may stand where no form follows.
    fn skip_blank(&mut self, depth: usize) -> Result<(), String> {
        while let Some(byte) = self.peek() {
            if byte == b';' {
                while self.peek().is_some_and(|byte| byte != b'\n') {
                    self.skip();
                }
            } else if byte.is_ascii_whitespace() || byte == b',' {
                self.skip();
            } else if byte == b'#' && self.text.as_bytes().get(self.at + 1) == Some(&b'_') {
                self.at += 2;
                self.form(depth + 1)?;
            } else {
                break;
            }
        }
        Ok(())
    }

    /// What closes the vector or list that stands next, if one does; steps into it.
    pub fn enter(&mut self) -> Result<Option<u8>, String> {
        self.skip_blank(0)?;
        let end = match self.peek() {
            Some(b'[') => b']',
            Some(b'(') => b')',
            _ => return Ok(None),
        };
        self.skip();
        Ok(Some(end))
    }

    /// Whether a vector or list that this closes ends here; if so, steps out of it.
    pub fn leave(&mut self, end: u8) -> Result<bool, String> {
        self.skip_blank(0)?;
        let ends = self.peek() == Some(end);
        if ends {
            self.skip();
        }
        Ok(ends)
    }

    /// The next form and the line in which it begins; none at the end.
    pub fn next(&mut self) -> Result<Option<(u32, Edn)>, String> {
        self.skip_blank(0)?;
        if self.peek().is_none() {
            return Ok(None);
        }
        let line = self.line;
        self.form(0).map(|form| Some((line, form)))
    }

    fn form(&mut self, depth: usize) -> Result<Edn, String> {
        if depth > DEEPEST {
            return Err(format!("forms are nested deeper than {DEEPEST}"));
        }
        self.skip_blank(depth)?;
        match self.peek() {
            None => Err("the text ends within a form".into()),
            Some(b'"') => self.string(),
            Some(b'[') => Ok(Edn::List(self.items(b']', depth)?)),
            Some(b'(') => Ok(Edn::List(self.items(b')', depth)?)),
            Some(b'{') => self.map(depth),
            Some(b'#') => self.dispatch(depth),
            Some(byte @ (b']' | b')' | b'}')) => {
                Err(format!("`{}` closes nothing", char::from(byte)))
            }
            Some(_) => self.atom(),
        }
    }

    /// A set, a symbolic value such as `##Inf`, or a tag, which is dropped.
    fn dispatch(&mut self, depth: usize) -> Result<Edn, String> {
        self.skip();
        match self.peek() {
            Some(b'{') => Ok(Edn::Set(self.items(b'}', depth)?)),
            Some(b'#') => Ok(Edn::Other(format!("#{}", self.word()))),
            _ => {
                // The tag may touch the form that follows it: `#jepsen.history.Op{...}`.
                self.word();
                self.form(depth + 1)
            }
        }
    }

    fn items(&mut self, end: u8, depth: usize) -> Result<Vec<Edn>, String> {
        self.skip();
        let mut items = Vec::new();
        loop {
            self.skip_blank(depth)?;
            if self.peek() == Some(end) {
                self.skip();
                return Ok(items);
            }
            items.push(self.form(depth + 1)?);
        }
    }

    fn map(&mut self, depth: usize) -> Result<Edn, String> {
        let items = self.items(b'}', depth)?;
        if items.len() % 2 == 1 {
            return Err("a map has a key without a value".into());
        }
        let mut items = items.into_iter();
        let mut pairs = Vec::with_capacity(items.len() / 2);
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            pairs.push((key, value));
        }
        Ok(Edn::Map(pairs))
    }

    fn string(&mut self) -> Result<Edn, String> {
        self.skip();
        let mut text = String::new();
        loop {
            let rest = &self.text[self.at..];
            let Some(end) = rest.find(['"', '\\']) else {
                return Err("a string does not end".into());
            };
            self.line = self.line.saturating_add(
                u32::try_from(rest[..end].matches('\n').count()).unwrap_or(u32::MAX),
            );
            text.push_str(&rest[..end]);
            self.at += end + 1;
            if rest.as_bytes()[end] == b'"' {
                return Ok(Edn::Text(text));
            }
            let Some(escaped) = self.text[self.at..].chars().next() else {
                return Err("a string does not end".into());
            };
            self.at += escaped.len_utf8();
            text.push(match escaped {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'b' => '\u{8}',
                'f' => '\u{c}',
                '"' | '\\' | '/' | '\'' => escaped,
                'u' => self.escaped_unit()?,
                other => return Err(format!("a string has an unknown escape `\\{other}`")),
            });
        }
    }

    /// A character as Java writes it: in one unit of UTF-16, or in two.
    fn escaped_unit(&mut self) -> Result<char, String> {
        let unit = |at: usize| {
            self.text
                .get(at..at + 4)
                .and_then(|digits| u16::from_str_radix(digits, 16).ok())
        };
        let wrong = "a string has a `\\u` that is no character";
        let first = unit(self.at).ok_or(wrong)?;
        let escaped = self.text[self.at + 4..].starts_with("\\u");
        let second = unit(self.at + 6).filter(|_| escaped && (0xd800..0xdc00).contains(&first));
        self.at += if second.is_some() { 10 } else { 4 };
        char::decode_utf16([first].into_iter().chain(second))
            .next()
            .and_then(Result::ok)
            .ok_or_else(|| wrong.into())
    }

    fn word(&mut self) -> &'t str {
        let rest = &self.text[self.at.min(self.text.len())..];
        let ends = |c: char| {
            c.is_whitespace() || matches!(c, ',' | '"' | ';' | '(' | ')' | '[' | ']' | '{' | '}')
        };
        let end = rest.find(ends).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn atom(&mut self) -> Result<Edn, String> {
        if self.peek() == Some(b'\\') {
            // A character may be one that ends words.
            let first: String = self.text[self.at..].chars().take(2).collect();
            self.at += first.len();
            return Ok(Edn::Other(first + self.word()));
        }
        let word = self.word();
        if word.is_empty() {
            let next = self.text[self.at..].chars().next().unwrap_or(' ');
            return Err(format!("unexpected {next:?}"));
        }
        if word == "nil" {
            return Ok(Edn::Nil);
        }
        if let Some(name) = word.strip_prefix(':') {
            return Ok(Edn::Keyword(name.into()));
        }
        Ok(whole(word).map_or_else(
            || Edn::Other(decimal(word).unwrap_or_else(|| word.into())),
            Edn::Whole,
        ))
    }
}

/// Canonical digits of a whole number: `+07N` is `7`.
fn whole(word: &str) -> Option<String> {
    let (minus, digits) = match word.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", word.strip_prefix('+').unwrap_or(word)),
    };
    let digits = digits.strip_suffix('N').unwrap_or(digits);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let short = digits.trim_start_matches('0');
    Some(if short.is_empty() {
        "0".into()
    } else {
        format!("{minus}{short}")
    })
}

/// The shortest form of a number with a point or an exponent: `1.50` is `1.5`, and `1.0` is not the
/// whole number `1`.
fn decimal(word: &str) -> Option<String> {
    let number = word.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'))
        && word.contains(|c: char| c.is_ascii_digit());
    let parsed: f64 = word.parse().ok().filter(|_| number)?;
    parsed.is_finite().then(|| format!("{parsed:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Edn {
        Reader::new(text, 1)
            .next()
            .expect("a form")
            .expect("a form")
            .1
    }

    #[test]
    fn forms() {
        assert_eq!(one("nil"), Edn::Nil);
        assert_eq!(one(" ; so\n #_ ignored -007N"), Edn::Whole("-7".into()));
        assert_eq!(one("1.50"), one("15e-1"));
        assert_ne!(one("1.0"), one("1"));
        assert_eq!(
            one(r#""a\"\u0041\n\uD83D\ude00""#),
            Edn::Text("a\"A\n\u{1f600}".into())
        );
        let op =
            one("#jepsen.history.Op{:process 3, :value #jepsen.independent.Tuple [:k [1 nil]]}");
        assert_eq!(op.get("process"), Some(&Edn::Whole("3".into())));
        let mut text = String::new();
        op.get("value").expect("it is there").write(&mut text);
        assert_eq!(text, "[:k,[1,null]]");
    }

    #[test]
    fn discarded_forms_and_symbolic_values() {
        assert_eq!(one("[1 #_2]"), one("[#_#_ 3 4 1]"));
        assert_eq!(one("{:a 1 #_:b #_ [2 {}]}"), one("{:a 1}"));
        assert_eq!(
            one("[##Inf 3]"),
            Edn::List(vec![Edn::Other("##Inf".into()), Edn::Whole("3".into())])
        );
        assert!(Reader::new(&"#_".repeat(100_000), 1).next().is_err());
    }

    #[test]
    fn a_set_has_no_order_and_is_no_vector() {
        let text = |form: &str| {
            let mut text = String::new();
            one(form).write(&mut text);
            text
        };
        assert_eq!(text("#{1 2}"), text("#{2 1}"));
        assert_ne!(text("#{1 2}"), text("[1 2]"));
    }

    #[test]
    fn lines_are_those_of_the_beginning() {
        let mut reader = Reader::new("{:a\n1}\n\n\"x\ny\" z", 1);
        let lines: Vec<u32> = std::iter::from_fn(|| reader.next().expect("forms"))
            .map(|(line, _)| line)
            .collect();
        assert_eq!(lines, [1, 4, 5]);
    }

    #[test]
    fn what_is_no_form_is_an_error() {
        for text in [
            "{:a}",
            "[1",
            "]",
            "[1)",
            "\"\\ud83d\"",
            "\"\\ude00\"",
            "\"a",
            "\"\\u12\"",
            "\"\\q\"",
            "#",
            &"[".repeat(100_000),
        ] {
            assert!(Reader::new(text, 1).next().is_err(), "{text:.20}");
        }
    }
}
