//! `browser`: pages opened and clicked through in a real headless browser: a short run, a very long
//! one, one that passes, and a history full of what a page must not run.
//!
//! Every action is an event of the mouse or the keyboard. Pictures of all pages are left in a folder,
//! to be looked at.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use synod_reports::page::html::{BYTES_MAX, html};
use synod_reports::page::model::Page;

mod chromium;
mod clicks;
mod devtools;

use clicks::{Opened, evil, passing, run_of};
use devtools::Tab;

/// Seeds of the short run until one fails.
const SEEDS: std::ops::Range<u32> = 0..200;

/// Arguments of `browser`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Where pages and pictures are left
    #[arg(long, value_name = "DIR", default_value = OUT)]
    out: PathBuf,
}

/// Where the data of a page begins.
const DATA: &str = "application/json\">";

/// Where pages and pictures are left if nobody says otherwise.
const OUT: &str = "target/browser";

/// Makes the pages, opens each, and clicks through it.
///
/// # Errors
/// What did not go as it should, or that there is no browser.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    click_through(&chromium::program()?, &arguments.out)
}

/// The same. All else can be checked with nothing but Rust, so where there is no browser, and none can
/// be installed, this says so, and is no failure.
///
/// # Errors
/// What did not go as it should.
pub fn in_ci() -> Result<(), String> {
    match chromium::program() {
        Ok(program) => click_through(&program, Path::new(OUT)),
        Err(why) => {
            println!("== browser: LEFT OUT, no page was opened: {why}");
            Ok(())
        }
    }
}

fn click_through(program: &Path, folder: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(folder).map_err(failed)?;
    let out = folder.canonicalize().map_err(failed)?;
    let short = timed("a run of 3 replicas and 2 seconds", || short(&out))?;
    let long = timed("a run of 7 replicas and 10 minutes", || {
        let page = out.join("long.html");
        let options = ["xtask/src/browser/long.toml", "--seed", "0"];
        trace(&options, &page, 1).map(|()| page)
    })?;
    let healthy = out.join("passing.html");
    trace(&["smoke/healthy-3", "--seed", "0"], &healthy, 0)?;
    let strange = strange(&out)?;

    let profile = out.join("profile");
    let mut tab = Tab::open(program, &profile)?;
    let mut open = |page: &PathBuf, clicks: &dyn Fn(&mut Opened<'_>) -> Result<(), String>| {
        let name = page.file_stem().unwrap_or_default().to_string_lossy();
        let bytes = fs::metadata(page).map_or(0, |it| it.len());
        if bytes >= u64::try_from(BYTES_MAX).unwrap_or(u64::MAX) {
            return Err(format!("{name}: {bytes} bytes are more than {BYTES_MAX}"));
        }
        let what = format!("{name}, {bytes} bytes");
        timed(&what, || {
            let mut opened = Opened::new(&mut tab, page, &out)?;
            let clicked = clicks(&mut opened);
            let clean = opened.tab.is_clean();
            clicked?;
            clean.map_err(|problems| format!("the page complains: {problems}"))?;
            println!("   {} checks", opened.checks);
            Ok(())
        })
        .map_err(|error| format!("{name}: {error}"))
    };
    open(&short, &|page| run_of(page, 3, true))?;
    open(&long, &|page| run_of(page, 7, false))?;
    open(&healthy, &passing)?;
    open(&strange, &evil)?;
    drop(tab);
    let _ = fs::remove_dir_all(profile);
    println!("pictures are in {}", folder.display());
    Ok(())
}

/// The page of a short run in which clients see what cannot be.
fn short(out: &Path) -> Result<PathBuf, String> {
    let page = out.join("short.html");
    for seed in SEEDS {
        let seed = seed.to_string();
        let options = [
            "xtask/src/browser/short.toml",
            "--seed",
            &seed,
            "--bug",
            "commit-over-hole",
            "--only",
            "linearizability",
        ];
        if traced(&options, &page) == 1 {
            return with_a_curve(&page).map(|()| page);
        }
    }
    Err(format!("none of the seeds {SEEDS:?} of short.toml fails"))
}

/// Gives a page a bake-in curve: one that ends at the violation.
fn with_a_curve(file: &Path) -> Result<(), String> {
    let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
    let (_, data) = text.split_once(DATA).ok_or("the page has no data")?;
    let (data, _) = data.split_once("</script>").ok_or("its data has no end")?;
    let mut page: Page = serde_json::from_str(data).map_err(|error| error.to_string())?;
    let at = page.violation.unwrap_or_default().number;
    page.bake_in = vec![(0, 0.02), (at / 2, 0.05), (at * 3 / 4, 0.7), (at, 1.0)];
    fs::write(file, html(&page)).map_err(|error| error.to_string())
}

/// A history in which everything that has a name is named as a page must not believe it.
fn strange(out: &Path) -> Result<PathBuf, String> {
    let (history, page) = (out.join("strange.jsonl"), out.join("strange.html"));
    fs::write(&history, clicks::strange_history()).map_err(|error| error.to_string())?;
    let arguments = ["check-history", "--model", "kv"].map(OsString::from);
    let files = [
        history.into_os_string(),
        OsString::from("--picture"),
        page.clone().into_os_string(),
    ];
    let program = [OsString::from("synod")];
    match synod_sim::cli::main(program.into_iter().chain(arguments).chain(files)) {
        1 => Ok(page),
        status => Err(format!("check-history of a bad history ends with {status}")),
    }
}

/// Traces a run, which has to end so.
fn trace(options: &[&str], page: &Path, status: u8) -> Result<(), String> {
    let ended = traced(options, page);
    if ended == status {
        Ok(())
    } else {
        Err(format!("synod trace {}: {ended}", options.join(" ")))
    }
}

fn traced(options: &[&str], page: &Path) -> u8 {
    let arguments = [
        "synod",
        "trace",
        "--in-process",
        "--quiet",
        "--as",
        "html",
        "--out",
    ];
    let arguments = arguments.map(OsString::from).into_iter();
    let page = page.to_owned().into_os_string();
    let options = options.iter().map(OsString::from);
    synod_sim::cli::main(arguments.chain([page]).chain(options))
}

fn timed<T>(what: &str, action: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    let began = Instant::now();
    let done = action()?;
    println!("{what}: ok in {:.1} s", began.elapsed().as_secs_f64());
    Ok(done)
}
