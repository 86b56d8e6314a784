//! The JSON Schemas (draft 2020-12) of what a sweep and a trace write, for those who read it with
//! other tools. Those of `summary.json` and of the lines of `results.jsonl` are made of the types;
//! that of the events is written by hand, because their types are the simulator's. None of them
//! forbids fields that it does not name: later versions of the same format may have more.

/// Of `summary.json`, and of what `sweep --format json` prints.
pub const SUMMARY: &str = include_str!("../schema/summary.json");

/// Of a line of `results.jsonl`, and of what `sweep --format jsonl` prints.
pub const RESULTS: &str = include_str!("../schema/results.json");

/// Of a line of what `trace --as jsonl` writes.
pub const EVENTS: &str = include_str!("../schema/events.json");

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use schemars::generate::SchemaSettings;
    use serde_json::{Value, json};

    use super::*;
    use crate::line::ResultLine;
    use crate::summary::{FORMAT, Summary};

    /// The schema of what is written of this type.
    fn text<T: JsonSchema>(name: &str, title: &str) -> String {
        let settings = SchemaSettings::draft2020_12().for_serialize();
        let schema = settings.into_generator().into_root_schema_for::<T>();
        let mut text = json!({
            "$schema": schema.get("$schema"),
            "$id": format!("urn:synod:{name}:{FORMAT}"),
            "title": title,
        });
        let fields = text.as_object_mut().expect("it has fields");
        for (key, mut value) in schema
            .to_value()
            .as_object()
            .expect("it has fields")
            .clone()
        {
            unwrap_lines(&mut value);
            fields.entry(key).or_insert(value);
        }
        format!("{text:#}\n")
    }

    /// A comment's lines end where the source's do.
    fn unwrap_lines(schema: &mut Value) {
        match schema {
            Value::Object(fields) => {
                for (key, value) in fields {
                    match value {
                        Value::String(text) if key == "description" => {
                            *text = text.replace('\n', " ");
                        }
                        _ => unwrap_lines(value),
                    }
                }
            }
            Value::Array(all) => all.iter_mut().for_each(unwrap_lines),
            _ => {}
        }
    }

    /// Where the file is another it is written anew, and the test fails once.
    fn check<T: JsonSchema>(name: &str, title: &str, file: &str) {
        let made = text::<T>(name, title);
        if made != file {
            let path = format!("{}/schema/{name}.json", env!("CARGO_MANIFEST_DIR"));
            std::fs::write(&path, made).expect("it can be written");
            panic!("{path} was not that of the types, and is now: look at it, and commit it");
        }
    }

    #[test]
    fn the_schema_of_a_summary_is_that_of_its_type() {
        check::<Summary>("summary", "summary.json of Synod, format 1", SUMMARY);
    }

    #[test]
    fn the_schema_of_a_result_is_that_of_its_type() {
        check::<ResultLine>(
            "results",
            "A line of results.jsonl of Synod, format 1",
            RESULTS,
        );
    }
}
