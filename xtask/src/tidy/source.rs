//! A source file, as the rules see it.

/// A source file: its path from the workspace's folder, with slashes, and its text.
pub struct Source {
    /// `sim/src/run.rs`.
    pub path: String,
    /// All of it.
    pub text: String,
}

impl Source {
    /// The lines that are not in the tests at the file's end, with their numbers from 1.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let in_tests = self.path.ends_with("/tests.rs")
            || self.path.contains("/tests/")
            || self.path.contains("/benches/");
        let lines = self
            .text
            .lines()
            .enumerate()
            .map(|(number, line)| (number + 1, line));
        let mut after_marker = false;
        lines.take_while(move |(_, line)| {
            let tests_begin = after_marker
                && line
                    .trim_start()
                    .trim_start_matches("pub(crate) ")
                    .starts_with("mod ")
                && line.trim_end().ends_with('{');
            after_marker = line.trim_start().starts_with("#[cfg(") && line.contains("test");
            !tests_begin && !in_tests
        })
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A file for the rules' tests.
    pub fn source(path: &str, text: &str) -> Source {
        Source {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn code_ends_where_tests_begin() {
        let text = "//! A.\n#[cfg(test)]\nfn helper() {}\nfn a() {}\n\
                    #[cfg(test)]\nmod tests {\n    x\n}\n";
        assert_eq!(source("sim/src/a.rs", text).code().count(), 5);
        assert_eq!(
            source("sim/src/a.rs", "#[cfg(all(test, unix))]\nmod tests {\n}\n")
                .code()
                .count(),
            1
        );
        assert_eq!(source("sim/tests/a.rs", text).code().count(), 0);
    }
}
