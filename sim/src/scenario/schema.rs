//! The JSON Schema of a scenario file, made from the vocabulary. Editors read it through the
//! `#:schema` line that opens every file of the library.

use serde_json::{Value, json};

use crate::scenario::kinds::ANY;
use crate::scenario::names::Names;
use crate::scenario::select::{REPLICAS_MAX, ROLES, ROLES_OF_SIDES};
use crate::scenario::units::Time;
use crate::scenario::vocabulary::{Bounds, Key, Kind, Measure, Table};
use crate::scenario::words::{DISTRIBUTION, FILE};

/// The schema, as `scenarios/schema/scenario-v1.json` has it.
#[must_use]
pub fn schema(names: &Names) -> Value {
    let mut schema = table(&FILE, names);
    let root = schema
        .as_object_mut()
        .expect("a table's schema is an object");
    root.insert(
        "$schema".into(),
        json!("http://json-schema.org/draft-07/schema#"),
    );
    root.insert("$id".into(), json!("urn:synod:scenario:1"));
    root.insert("title".into(), json!("A scenario of Synod, format 1"));
    schema
}

/// The schema as text, with a newline at the end.
#[must_use]
pub fn text(names: &Names) -> String {
    format!("{:#}\n", schema(names))
}

fn table(of: &Table, names: &Names) -> Value {
    let properties: serde_json::Map<String, Value> = of
        .keys
        .iter()
        .map(|key| (key.name.to_owned(), property(key, names)))
        .collect();
    let required: Vec<&str> = of
        .keys
        .iter()
        .filter(|key| key.required)
        .map(|key| key.name)
        .collect();
    let mut schema =
        json!({ "type": "object", "additionalProperties": false, "properties": properties });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    if of.verbs {
        schema["oneOf"] = of
            .names(true)
            .into_iter()
            .map(|verb| json!({ "required": [verb] }))
            .collect();
    }
    schema
}

fn property(key: &Key, names: &Names) -> Value {
    let mut schema = match (key.kind, key.bounds) {
        (Kind::Whole, bounds) => whole(bounds),
        (Kind::Quantity(measure), bounds) => quantity(measure, bounds),
        (other, _) => kind(other, names),
    };
    schema["description"] = json!(key.doc);
    schema
}

fn kind(of: Kind, names: &Names) -> Value {
    match of {
        Kind::Text => json!({ "type": "string" }),
        Kind::FilePrefix => json!({ "type": "string", "examples": files(names) }),
        Kind::Named(naming) => json!({ "enum": names.all(naming) }),
        Kind::AllNamed(naming) => {
            json!({ "type": "array", "items": { "enum": names.all(naming) } })
        }
        Kind::SomeNamed(naming) => {
            let known = names.all(naming);
            let or_any = [&known[..], &[ANY]].concat();
            let one = json!({ "enum": or_any });
            let list = json!({ "type": "array", "minItems": 1, "items": { "enum": known } });
            let some = json!({ "anyOf": [one, list] });
            json!({ "anyOf": [one, list, pick(&some)] })
        }
        Kind::Digest => json!({ "type": "string", "pattern": "^[0-9a-f]{16}$" }),
        Kind::Whole => whole(None),
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Flag => {
            json!({ "anyOf": [{ "type": "boolean" }, pick(&json!({ "type": "boolean" }))] })
        }
        Kind::Word(words) => json!({ "enum": words }),
        Kind::Words(words) => {
            json!({ "anyOf": [{ "enum": words }, pick(&json!({ "enum": words }))] })
        }
        Kind::Sequence(words) => {
            json!({ "type": "array", "items": { "enum": words }, "const": words })
        }
        Kind::Quantity(measure) => quantity(measure, None),
        Kind::PerReplica(measure) => {
            let each = quantity(measure, None);
            json!({ "anyOf": [each, { "type": "array", "items": each }] })
        }
        Kind::Distribution => {
            let time = json!({ "type": "string", "pattern": pattern(&TIME), "examples": ["1ms"] });
            json!({ "anyOf": [time, table(&DISTRIBUTION, names)] })
        }
        Kind::Replicas => {
            let one = replicas();
            json!({ "anyOf": [one, pick(&one)] })
        }
        Kind::Replica => matching(&replica()),
        Kind::Slots => matching(r"[0-9]+\.\.([0-9]+|all)"),
        Kind::Order => list(&matching(&replica())),
        Kind::Client => matching(CLIENT),
        Kind::Clients => list(&matching(CLIENT)),
        Kind::Parted => {
            json!({ "anyOf": [{ "enum": ["half", "all", "none"] }, list(&matching(CLIENT))] })
        }
        Kind::Party => matching(&format!("{}|{CLIENT}", replica())),
        Kind::Core => {
            json!({ "anyOf": [
                { "enum": ["majority", "all"] },
                { "type": "integer", "minimum": 1, "maximum": REPLICAS_MAX },
                list(&matching(&replica())),
            ] })
        }
        Kind::Endings => {
            let one = json!({ "anyOf": [
                { "enum": ["ok", "timeout", "refused", "mismatch", "absent"] },
                {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["value"],
                    "properties": { "value": { "type": "string" } },
                }
            ] });
            json!({ "anyOf": [one, { "type": "array", "items": one }] })
        }
        Kind::Groups => {
            let roles = ROLES_OF_SIDES.join("|");
            let member = matching(&format!("{}|{CLIENT}|{roles}", replica()));
            json!({
                "type": "array",
                "minItems": 2,
                "items": { "type": "array", "minItems": 1, "items": member },
            })
        }
        Kind::Loose => {
            let part = r"[0-9]+\+?|length\+?|create|rename|remove";
            let files = files(names).join("|");
            list(&matching(&format!("({files})[^#]*#({part})")))
        }
        Kind::Options => json!({ "type": "array", "minItems": 1 }),
        Kind::Table(of) => table(of, names),
        Kind::Tables(of) => json!({ "type": "array", "items": table(of, names) }),
        Kind::ReplicasOr(of) => json!({ "anyOf": [replicas(), table(of, names)] }),
        Kind::WordsOr(words, of) => json!({ "anyOf": [{ "enum": words }, table(of, names)] }),
    }
}

const TIME: Measure = Measure::of::<Time>();

/// The name of a client.
const CLIENT: &str = "c([1-9]|[1-5][0-9]|6[0-4])";

/// The name of a replica.
fn replica() -> String {
    format!("r[1-{REPLICAS_MAX}]")
}

/// A string that is one of these, and nothing more.
fn matching(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": format!("^({pattern})$") })
}

fn list(of: &Value) -> Value {
    json!({ "type": "array", "minItems": 1, "uniqueItems": true, "items": of })
}

/// Replicas as they stand alone: a role, a name, a number, or a list of names.
fn replicas() -> Value {
    let roles = ROLES.join("|");
    let word = format!(r"{}|{roles}|[0-9]+(\.\.([0-9]+|all))?", replica());
    json!({ "anyOf": [
        matching(&word),
        { "type": "integer", "minimum": 1, "maximum": REPLICAS_MAX },
        list(&matching(&replica())),
    ] })
}

/// How the files of all subjects begin.
fn files(names: &Names) -> Vec<&'static str> {
    let mut all: Vec<_> = names
        .subjects
        .iter()
        .flat_map(|subject| subject.files)
        .copied()
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn whole(bounds: Option<Bounds>) -> Value {
    let (min, max) = bounds.map_or((0, None), |bounds| (bounds.min, Some(bounds.max)));
    let mut schema = json!({ "type": "integer", "minimum": min });
    if let Some(max) = max {
        schema["maximum"] = json!(max);
    }
    schema
}

fn quantity(measure: &Measure, bounds: Option<Bounds>) -> Value {
    let text = json!({ "type": "string", "pattern": pattern(measure) });
    let one = if measure.bare {
        json!({ "anyOf": [whole(bounds), text] })
    } else {
        text
    };
    let help = bounds.map_or(String::new(), |bounds| format!("; {}", bounds.help));
    let comment = format!("{}: {}{help}", measure.what, measure.example);
    json!({ "anyOf": [one, pick(&one)], "$comment": comment })
}

/// What a quantity, or a range of them, looks like.
fn pattern(measure: &Measure) -> String {
    let units: Vec<&str> = measure.suffixes.iter().map(|(name, _)| *name).collect();
    let sign = if measure.signed { "[-+]?" } else { r"\+?" };
    let one = format!(r" *{sign}[0-9][0-9_]*(\.[0-9_]+)? *({}) *", units.join("|"));
    format!(r"^{one}(\.\.=?{one})?$")
}

fn pick(item: &Value) -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["pick"],
        "properties": { "pick": { "type": "array", "minItems": 1, "items": item } },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::glossary::names;

    #[test]
    fn the_committed_schema_is_this_one() {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/schema/scenario-v1.json");
        let committed = std::fs::read_to_string(path).unwrap();
        assert!(
            committed == text(&names()),
            "renew it: synod scenario schema > scenarios/schema/scenario-v1.json"
        );
    }

    /// Every key of a document is one of the schema's, at its place.
    fn covered(value: &toml::Value, schema: &Value, path: &str) {
        match value {
            toml::Value::Table(keys) => {
                let schemas = alternatives(schema);
                let tables: Vec<&Value> = schemas
                    .iter()
                    .filter_map(|schema| schema.get("properties"))
                    .collect();
                for (key, inner) in keys {
                    let found = tables.iter().find_map(|table| table.get(key));
                    let free = schemas.iter().any(|schema| {
                        schema["type"]
                            .as_array()
                            .is_some_and(|types| types.contains(&json!("object")))
                    });
                    assert!(found.is_some() || free, "{path}.{key} is not in the schema");
                    if let Some(found) = found {
                        covered(inner, found, &format!("{path}.{key}"));
                    }
                }
            }
            toml::Value::Array(items) => {
                let schemas = alternatives(schema);
                let inner = schemas.iter().find_map(|schema| schema.get("items"));
                assert!(inner.is_some(), "{path} is a list");
                for item in items {
                    covered(item, inner.unwrap(), path);
                }
            }
            _ => {}
        }
    }

    fn alternatives(schema: &Value) -> Vec<&Value> {
        let inner = schema
            .get("anyOf")
            .and_then(Value::as_array)
            .map(|all| all.iter().flat_map(alternatives).collect::<Vec<_>>());
        inner
            .unwrap_or_default()
            .into_iter()
            .chain([schema])
            .collect()
    }

    #[test]
    fn every_file_of_the_library_keeps_to_the_schema() {
        let schema = schema(&names());
        for (name, text) in crate::scenario::embedded::FILES {
            covered(&toml::Value::Table(text.parse().unwrap()), &schema, name);
            assert!(
                text.starts_with("#:schema "),
                "{name} opens with its schema"
            );
        }
    }

    /// serde's own list of what it would have taken, in its message for an unknown key.
    fn serde_keys(text: &str) -> BTreeSet<String> {
        let error = toml::from_str::<crate::scenario::form::FileForm>(text).unwrap_err();
        let (_, expected) = error.message().split_once("expected ").unwrap();
        expected
            .split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn the_vocabulary_is_what_serde_reads() {
        use crate::scenario::words::STEP;
        let of = |table: &Table| {
            table
                .keys
                .iter()
                .map(|key| key.name.to_owned())
                .collect::<BTreeSet<_>>()
        };
        assert_eq!(serde_keys("nonsense = 1"), of(&FILE));
        assert_eq!(serde_keys("[[step]]\nnonsense = 1"), of(&STEP));
        for section in FILE.keys {
            let Kind::Table(table) = section.kind else {
                continue;
            };
            if section.name == "nemesis" {
                continue;
            }
            assert_eq!(
                serde_keys(&format!("[{}]\nnonsense = 1", section.name)),
                of(table),
                "{}",
                section.name
            );
        }
        for verb in STEP.keys {
            let (Kind::Table(table) | Kind::ReplicasOr(table) | Kind::WordsOr(_, table)) =
                verb.kind
            else {
                continue;
            };
            let toml = format!("[[step]]\n{} = {{ nonsense = 1 }}", verb.name);
            if table.keys.len() > 1 {
                assert_eq!(serde_keys(&toml), of(table), "{}", verb.name);
            }
        }
    }
}
