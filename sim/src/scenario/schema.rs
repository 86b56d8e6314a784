//! The JSON Schema of a scenario file, made from the vocabulary. Editors read it through the
//! `#:schema` line that opens every file of the library.

use serde_json::{Value, json};

use crate::scenario::kinds::ANY;
use crate::scenario::names::Names;
use crate::scenario::vocabulary::{Key, Kind, Table};
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
    let mut schema = kind(key.kind, names);
    schema["description"] = json!(key.doc);
    schema
}

fn kind(of: Kind, names: &Names) -> Value {
    let replicas = || {
        json!({
            "type": ["string", "integer", "array", "object"],
            "items": { "type": "string" },
        })
    };
    match of {
        Kind::Text => json!({ "type": "string" }),
        Kind::Texts => json!({ "type": "array", "items": { "type": "string" } }),
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
        Kind::Whole => json!({ "type": "integer", "minimum": 0 }),
        Kind::Flag => {
            json!({ "anyOf": [{ "type": "boolean" }, pick(&json!({ "type": "boolean" }))] })
        }
        Kind::Words(words) => {
            json!({ "anyOf": [{ "enum": words }, pick(&json!({ "enum": words }))] })
        }
        Kind::Quantity(what, example, bare) => quantity(what, example, bare),
        Kind::PerReplica(what, example) => {
            json!({ "anyOf": [
                quantity(what, example, false),
                { "type": "array", "items": { "type": "string" } },
            ] })
        }
        Kind::Distribution => {
            json!({ "anyOf": [{ "type": "string", "examples": ["1ms"] }, table(&DISTRIBUTION, names)] })
        }
        Kind::Replicas => replicas(),
        Kind::Core => {
            json!({ "anyOf": [
                { "enum": ["majority", "all"] },
                { "type": "integer", "minimum": 1 },
                { "type": "array", "items": { "type": "string" } },
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
            json!({
                "type": "array",
                "minItems": 2,
                "items": { "type": "array", "minItems": 1, "items": { "type": "string" } },
            })
        }
        Kind::Table(of) => table(of, names),
        Kind::Tables(of) => json!({ "type": "array", "items": table(of, names) }),
        Kind::ReplicasOr(of) => {
            json!({ "anyOf": [
                { "type": ["string", "integer", "array"], "items": { "type": "string" } },
                table(of, names),
            ] })
        }
        Kind::WordsOr(words, of) => json!({ "anyOf": [{ "enum": words }, table(of, names)] }),
    }
}

fn quantity(what: &str, example: &str, bare: bool) -> Value {
    let one = if bare {
        json!({ "type": ["integer", "string"] })
    } else {
        json!({ "type": "string" })
    };
    json!({ "anyOf": [one, pick(&one)], "$comment": format!("{what}: {example}") })
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
