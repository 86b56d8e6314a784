//! What is said about overrides that say nothing, or too much.

use super::*;

#[test]
fn an_override_names_one_thing_and_says_how_it_goes() {
    let wrong = |body: &str| errors(&format!("[workload]\n[[override]]\n{body}\n"));
    let message = "message = { from = \"r1\", to = \"r2\"";
    for (body, parts) in [
        (
            "lost = true".to_owned(),
            ["needs either `message` or `disk`", "kind = \"accept\""],
        ),
        (format!("{message} }}"), ["changes nothing", "`copy-after`"]),
        (
            format!("{message}, nth = 0 }}\nlost = true"),
            ["0 is out of bounds", "counts from 1"],
        ),
        (
            format!("{message} }}\nlost = true\ntakes = \"1ms\""),
            ["a disk's key", "x.toml:8:9"],
        ),
        (
            format!("{message} }}\ndelay = \"1ms..2ms\""),
            ["a time that is drawn", "x.toml:7:9"],
        ),
        (
            "message = { from = \"r4\", to = \"r2\" }\nlost = true".to_owned(),
            ["no replica `r4`", "r1 to r3"],
        ),
        (
            "message = { from = \"leader\", to = \"r2\" }\nlost = true".to_owned(),
            ["`leader` is nobody", "\"c1\" for a client"],
        ),
        (
            "message = { from = \"r1\", to = \"r2\", kind = \"acepted\" }\nlost = true".to_owned(),
            [
                "`acepted` is not a kind of messages",
                "did you mean `accepted`?",
            ],
        ),
        (
            format!("{message} }}\nlost = true\ndelay = \"1ms\""),
            ["what is lost never arrives", "x.toml:8:9"],
        ),
        (
            format!("{message} }}\nlost = true\n[[override]]\n{message} }}\nlost = false"),
            ["two overrides of one thing", "x.toml:8:1"],
        ),
        (
            "disk = { replica = \"r1\", op = \"snyc\" }\nfails = true".to_owned(),
            ["`snyc` is no value of `op`", "did you mean `sync`?"],
        ),
        (
            "disk = { replica = \"c1\", op = \"sync\" }\nfails = true".to_owned(),
            ["the disk of a client", "name of a replica"],
        ),
        (
            "disk = { replica = \"r1\", op = \"sync\" }\nlost = true".to_owned(),
            ["a message's key for a disk", "`takes` and `fails`"],
        ),
    ] {
        says(&wrong(&body), &parts);
    }
    let body = "disk = { replica = \"r3\", op = \"sync\", nth = 4 }\nfails = true";
    let read = good(&format!("[workload]\n[[override]]\n{body}\n"));
    assert_eq!(read.overrides[0].to_string(), "the 4th sync of r3");
}
