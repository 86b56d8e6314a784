//! Many mutants in one build (mutant schemata: Untch, Offutt and Harrold, ISSTA '93). A function
//! that has mutants begins with a copy of its body for each of them, which is what runs when that
//! mutant is chosen.

use std::collections::BTreeMap;
use std::ops::Range;

use super::entry::Mutant;
use super::scan::body_around;

/// Which mutant is chosen; 0 is none.
pub const CHOSEN: &str = "SYNOD_MUTANT";

/// What the engine's root needs: it asks the environment once.
pub fn root(text: &str) -> String {
    format!(
        "{text}\n#[doc(hidden)]\npub mod mutant {{\n\
         static CHOSEN: std::sync::LazyLock<usize> = std::sync::LazyLock::new(|| {{\n\
         std::env::var(\"{CHOSEN}\").ok().and_then(|text| text.parse().ok()).unwrap_or(0)\n\
         }});\n\
         pub fn on(number: usize) -> bool {{ *CHOSEN == number }}\n}}\n"
    )
}

/// A file with mutants in it.
pub struct Blend {
    pub text: String,
    /// The copy of each mutant, by its number.
    pub copies: Vec<(Range<usize>, usize)>,
}

/// Puts numbered mutants into a file. Those that are in no function, or whose code is gone, are left
/// out.
pub fn blend(text: &str, mutants: &[(usize, &Mutant)]) -> Blend {
    let mut bodies: BTreeMap<usize, Vec<(usize, String)>> = BTreeMap::new();
    for (number, mutant) in mutants {
        let Some((place, new)) = mutant.change(text) else {
            continue;
        };
        if let Some(body) = body_around(text, &place) {
            let head = &text[body.start + 1..place.start];
            let copy = format!("{head}{new}{}", &text[place.end..body.end]);
            bodies
                .entry(body.start + 1)
                .or_default()
                .push((*number, copy));
        }
    }
    let (mut out, mut copies, mut from) = (String::new(), Vec::new(), 0);
    for (open, mutated) in bodies {
        out.push_str(&text[from..open]);
        from = open;
        for (number, copy) in mutated {
            out.push_str(&format!("\nif crate::mutant::on({number}) {{ return {{"));
            copies.push((out.len()..out.len() + copy.len(), number));
            out.push_str(&copy);
            out.push_str("}; }\n");
        }
    }
    out.push_str(&text[from..]);
    // What asks the environment is not const; the blanks keep every place.
    Blend {
        text: out.replace("const fn ", "      fn "),
        copies,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_begins_with_its_mutants() {
        let text = "const fn a() -> u8 { 1 + 2 }\nfn b() { c() }\n";
        let mutant = |before: &str, after: &str, body| Mutant {
            id: String::new(),
            file: String::new(),
            name: String::new(),
            before: before.to_owned(),
            after: after.to_owned(),
            body,
        };
        let minus = mutant("{ 1 + 2 }", "{ 1 - 2 }", false);
        let value = mutant("a() -> u8 {", " 7 ", true);
        let gone = mutant("1 * 2", "1 / 2", false);
        let blend = blend(text, &[(3, &minus), (4, &gone), (5, &value)]);
        assert_eq!(
            blend.text,
            "      fn a() -> u8 {\nif crate::mutant::on(3) { return { 1 - 2 }; }\n\
             \nif crate::mutant::on(5) { return { 7 }; }\n 1 + 2 }\nfn b() { c() }\n"
        );
        let copies: Vec<_> = blend
            .copies
            .iter()
            .map(|(place, number)| (&blend.text[place.clone()], *number))
            .collect();
        assert_eq!(copies, [(" 1 - 2 ", 3), (" 7 ", 5)]);
    }
}
