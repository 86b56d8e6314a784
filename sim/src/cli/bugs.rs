//! `synod bugs`: the bugs that can be planted.

use clap::{Args, Subcommand};
use synod_reports::table;

use crate::cli::exit;
use crate::cli::options::{Format, document};
use crate::cli::terminal::{fail, print, say};
use crate::subject::bug_card::{bugs, unknown};
use crate::subject::catalog::default_subject;
use crate::sweep::shelf::check_subject;

/// Arguments of `bugs`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  synod bugs list
  synod bugs show accept-below-promise
  synod sweep --bug accept-below-promise       plant it")]
pub struct BugsArgs {
    /// The engine
    #[arg(
        long,
        env = "SYNOD_SUBJECT",
        value_name = "NAME",
        default_value_t = default_subject().to_owned(),
        global = true,
    )]
    subject: String,
    /// The form of what goes to standard output
    #[arg(long, env = "SYNOD_FORMAT", value_enum, default_value_t, global = true)]
    format: Format,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Clone, Debug)]
enum Action {
    /// All of them
    List,
    /// All that is known of one
    Show {
        /// The bug
        name: String,
    },
}

/// Runs the command.
#[must_use]
pub fn run(arguments: &BugsArgs) -> u8 {
    let subject = &arguments.subject;
    if let Err(message) = check_subject(subject) {
        return fail(exit::USAGE, &message);
    }
    let cards = bugs(subject);
    let format = arguments.format;
    match &arguments.action {
        Action::List if format == Format::Json => print(&document(&cards, format)),
        Action::List if format == Format::Jsonl => {
            cards.iter().for_each(|card| print(&document(card, format)));
        }
        Action::List => {
            if cards.is_empty() {
                say(&format!("no bugs can be planted in `{subject}`"));
            }
            let rows: Vec<_> = cards
                .iter()
                .map(|card| {
                    vec![
                        card.name.clone(),
                        card.component.clone(),
                        card.class.clone(),
                        card.difficulty.clone(),
                    ]
                })
                .collect();
            print(&table::plain(
                &["bug", "component", "class", "difficulty"],
                &rows,
            ));
        }
        Action::Show { name } => match cards.iter().find(|card| card.name == *name) {
            None => return fail(exit::USAGE, &unknown(subject, name)),
            Some(card) if format != Format::Human => print(&document(card, format)),
            Some(card) => print(&format!(
                "{}\n  {}\n  component   {}\n  class       {}\n  difficulty  {}\n  source      \
                 {}\n  plant it    {} sweep --bug {}\n",
                card.name,
                card.behaviour,
                card.component,
                card.class,
                card.difficulty,
                card.source,
                crate::cli::terminal::invocation(),
                card.name
            )),
        },
    }
    exit::PASSED
}
