//! `synod bugs`: the bugs that can be planted.

use clap::{Args, Subcommand};
use synod_reports::table;

use crate::cli::exit;
use crate::cli::options::Format;
use crate::cli::terminal::{fail, print};
use crate::subject::bug_card::{bugs, unknown};
use crate::subject::catalog::DEFAULT_SUBJECT;

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
        default_value = DEFAULT_SUBJECT,
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
    let cards = bugs(&arguments.subject);
    let json = arguments.format != Format::Human;
    match &arguments.action {
        Action::List if json => {
            print(&(serde_json::to_string_pretty(&cards).expect("plain data") + "\n"))
        }
        Action::List => {
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
            None => return fail(exit::USAGE, &unknown(&arguments.subject, name)),
            Some(card) if json => {
                print(&(serde_json::to_string_pretty(card).expect("plain data") + "\n"))
            }
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
