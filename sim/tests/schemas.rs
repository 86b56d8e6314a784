//! What is written fits its schema, and the schema names all of it: a field that it does not name is
//! an error here, though other tools may pass over it.
//!
//! The check knows the words of JSON Schema that ours use, and refuses all others.

#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Map, Value, json};

/// What this command prints.
fn synod(folder: &Path, words: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_synod"))
        .args(words.split_whitespace())
        .current_dir(folder)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .expect("it starts");
    String::from_utf8(output.stdout).expect("it is text")
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A schema.
struct Schema {
    root: Value,
}

impl Schema {
    fn of(folder: &Path, document: &str) -> Self {
        let root = parsed(&synod(folder, &format!("schema {document}")));
        let draft = "https://json-schema.org/draft/2020-12/schema";
        assert_eq!(root["$schema"], draft, "{document}");
        Self { root }
    }

    /// What is wrong with this document.
    fn wrong(&self, document: &Value) -> Option<String> {
        self.check(&self.root, document, "it").err()
    }

    fn check(&self, schema: &Value, value: &Value, place: &str) -> Result<(), String> {
        let schema = schema.as_object().ok_or("a schema has words")?;
        for (word, says) in schema {
            let fits = match word.as_str() {
                "$schema" | "$id" | "$defs" | "title" | "description" | "default" | "format" => {
                    true
                }
                "type" => has_type(says, value),
                "const" => says == value,
                "enum" => says.as_array().is_some_and(|all| all.contains(value)),
                "minimum" => number(value) >= number(says),
                "minItems" => length(value) >= says.as_u64(),
                "maxItems" => length(value) <= says.as_u64(),
                "required" => all(says, |name| {
                    name.as_str().is_some_and(|name| value.get(name).is_some())
                }),
                "oneOf" => {
                    let ways = says.as_array().ok_or("several")?;
                    let fit = |way: &&Value| self.check(way, value, place).is_ok();
                    ways.iter().filter(fit).count() == 1
                }
                "anyOf" => {
                    let ways = says.as_array().ok_or("several")?;
                    let tried: Vec<_> = ways
                        .iter()
                        .map(|way| self.check(way, value, place))
                        .collect();
                    if tried.iter().all(Result::is_err) {
                        return tried.into_iter().next().unwrap_or(Ok(()));
                    }
                    true
                }
                "$ref" => {
                    let pointer = says.as_str().and_then(|says| says.strip_prefix('#'));
                    let named = pointer.and_then(|pointer| self.root.pointer(pointer));
                    self.check(named.ok_or("it is defined")?, value, place)?;
                    true
                }
                "items" => {
                    for (number, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(says, item, &format!("{place}[{number}]"))?;
                    }
                    true
                }
                "prefixItems" => {
                    let schemas = says.as_array().ok_or("several")?;
                    let items = value.as_array().into_iter().flatten();
                    for (schema, item) in schemas.iter().zip(items) {
                        self.check(schema, item, place)?;
                    }
                    true
                }
                "properties" | "additionalProperties" => true,
                other => return Err(format!("{place}: `{other}` is not known here")),
            };
            if !fits {
                return Err(format!("{place} is {value}, and {word} says {says}"));
            }
        }
        if let Some(fields) = value.as_object() {
            self.fields(schema, fields, place)?;
        }
        Ok(())
    }

    /// Each field is named, or those that are not have a schema of their own.
    fn fields(
        &self,
        schema: &Map<String, Value>,
        fields: &Map<String, Value>,
        place: &str,
    ) -> Result<(), String> {
        if schema.contains_key("$ref") || schema.contains_key("anyOf") {
            return Ok(());
        }
        for (name, value) in fields {
            let place = format!("{place}.{name}");
            let named = schema.get("properties").and_then(|named| named.get(name));
            match named.or_else(|| schema.get("additionalProperties")) {
                Some(schema) => self.check(schema, value, &place)?,
                None => return Err(format!("{place} is not named")),
            }
        }
        Ok(())
    }
}

fn all(list: &Value, fits: impl Fn(&Value) -> bool) -> bool {
    list.as_array().is_some_and(|list| list.iter().all(fits))
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::INFINITY)
}

fn length(value: &Value) -> Option<u64> {
    value.as_array().map(|items| items.len() as u64)
}

fn has_type(says: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        Some("integer") => value.is_u64() || value.is_i64(),
        Some("number") => value.is_number(),
        _ => false,
    };
    says.as_array()
        .map_or_else(|| is(says), |any| any.iter().any(is))
}

/// Something is wrong once this is changed.
fn felt(schema: &Schema, document: &Value, change: impl Fn(&mut Value)) {
    let mut other = document.clone();
    change(&mut other);
    assert_ne!(*document, other, "nothing was changed");
    assert!(schema.wrong(&other).is_some(), "it fits: {other}");
}

#[test]
fn what_a_sweep_writes_fits_its_schemas() {
    let place = tempfile::tempdir().expect("a folder");
    let at = place.path();
    let known = "[[known]]\nfingerprint = \"a-1\"\nreason = \"#7\"\nuntil = \"2999-12-31\"\n";
    std::fs::write(at.join("known.toml"), known).expect("it can be written");
    // Several kinds of endings, and most of what there may be in a line.
    let words = "sweep safety/weather-3 negative/primary-copy-paused smoke/healthy-3 --jobs 2 \
                 --seeds 0..6 --shrink 0 --verify-determinism 50% --known known.toml --out out";
    let bug = "--bug accept-below-promise";
    let plain = synod(at, &format!("{words} --format json"));
    let summary = Schema::of(at, "summary");
    let planted = words.replace("negative/primary-copy-paused", "safety/weather-5");
    let planted = synod(at, &format!("{planted} {bug} --format json"));
    for text in [&plain, &planted] {
        assert_eq!(summary.wrong(&parsed(text)), None);
    }
    let document = parsed(&planted);
    assert_ne!(document["failures"], json!([]), "nothing failed");
    felt(&summary, &document, |it| it["more"] = json!(1));
    felt(&summary, &document, |it| {
        it["failures"][0]["more"] = json!(1)
    });
    felt(&summary, &document, |it| it["runs"] = json!("12"));
    felt(&summary, &document, |it| it["verdicts"]["pass"] = json!(-1));
    felt(&summary, &document, |it| {
        it.as_object_mut().expect("it has fields").remove("digest");
    });

    let results = Schema::of(at, "results");
    let text = std::fs::read_to_string(at.join("out/results.jsonl")).expect("it was written");
    for line in text.lines() {
        assert_eq!(results.wrong(&parsed(line)), None);
    }
    let line = parsed(text.lines().next().expect("there is one"));
    felt(&results, &line, |it| it["more"] = json!(1));
    felt(&results, &line, |it| it["verdict"] = json!("well"));
    felt(&results, &line, |it| it["states"] = json!(["1"]));
    felt(&results, &line, |it| it["service"]["more"] = json!(1));
    felt(&results, &line, |it| it["service"]["syncs"] = json!("1"));
    let deliveries = line["deliveries"].as_object().expect("it has some");
    let kind = deliveries.keys().next().expect("there is one").clone();
    felt(&results, &line, |it| {
        it["deliveries"][&kind]["learner"] = json!(1)
    });
}

#[test]
fn what_a_trace_writes_fits_its_schema() {
    let place = tempfile::tempdir().expect("a folder");
    let text = synod(place.path(), "trace safety/stale-read --seed 7 --as jsonl");
    let events = Schema::of(place.path(), "events");
    let lines: Vec<Value> = text.lines().map(parsed).collect();
    assert!(lines.len() > 1_000, "{} lines", lines.len());
    for line in &lines {
        assert_eq!(events.wrong(line), None);
    }
    // Nothing is named that never comes.
    for name in ["nodes", "slots", "ballot", "key", "kind"] {
        let has = |line: &&Value| line["about"].get(name).is_some();
        let line = lines.iter().find(has);
        let line = line.unwrap_or_else(|| panic!("no line has {name}"));
        felt(&events, line, |it| it["about"][name] = json!(7));
    }
    let changed = lines.iter().find(|line| line.get("state").is_some());
    let changed = changed.expect("a replica has changed");
    felt(&events, changed, |it| it["state"]["more"] = json!(1));
    felt(&events, changed, |it| {
        it["state"]["aspects"] = json!(["up"])
    });
    felt(&events, &lines[0], |it| it["more"] = json!(1));
    felt(&events, &lines[0], |it| it["about"]["more"] = json!(1));
    felt(&events, &lines[0], |it| it["depth"] = json!("deep"));
}

#[test]
fn a_scenarios_schema_is_printed_by_either_command() {
    let place = tempfile::tempdir().expect("a folder");
    let of = |words: &str| synod(place.path(), words);
    assert_eq!(of("schema scenario"), of("scenario schema"));
}
