//! What is clicked, typed and pointed at in each page, and what has to come of it.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::devtools::Tab;

/// What stands in a history to break a page: markup, the end of a script, an override of the
/// direction, a text from right to left, and what a template would fill in.
const STRANGE: [&str; 5] = [
    "<script>window.broken = 1</script>",
    "</script><img src=x onerror='window.broken = 2'>",
    "\u{202e}gnp.evil\u{202d} \u{2028}",
    "שלום עולם مرحبا",
    "{{script}} ${window.broken = 3} \\u003cb\\u003e",
];

/// How wide the page is, at first.
const WIDTH: u32 = 1280;
/// How high.
const HEIGHT: u32 = 1400;

/// What the page knows, in the page.
const DATA: &str = "JSON.parse(document.getElementById('data').textContent)";

/// A page that is open.
pub struct Opened<'a> {
    /// Its tab.
    pub tab: &'a mut Tab,
    /// So much held.
    pub checks: u32,
    name: String,
    out: PathBuf,
}

type Done = Result<(), String>;

impl<'a> Opened<'a> {
    /// Opens it.
    ///
    /// # Errors
    /// When it does not get ready.
    pub fn new(tab: &'a mut Tab, page: &Path, out: &Path) -> Result<Self, String> {
        tab.look(WIDTH, HEIGHT, "light")?;
        tab.load(page)?;
        let name = page.file_stem().unwrap_or_default();
        Ok(Self {
            tab,
            checks: 0,
            name: name.to_string_lossy().into_owned(),
            out: out.to_owned(),
        })
    }

    /// This expression is true.
    fn holds(&mut self, what: &str, expression: &str) -> Done {
        let is = self.tab.eval(expression)?;
        self.checks += 1;
        if is == Value::Bool(true) {
            Ok(())
        } else {
            Err(format!("{what}: {expression} is {is}"))
        }
    }

    fn is(&mut self, what: &str, found: impl Into<Value>, wanted: impl Into<Value>) -> Done {
        self.checks += 1;
        let (found, wanted) = (found.into(), wanted.into());
        if found == wanted {
            Ok(())
        } else {
            Err(format!("{what}: {found}, and not {wanted}"))
        }
    }

    fn so(&mut self, what: &str, holds: bool) -> Done {
        self.is(what, holds, true)
    }

    fn number(&mut self, expression: &str) -> Result<f64, String> {
        let number = self.tab.eval(&format!("Number({expression})"))?;
        number
            .as_f64()
            .ok_or_else(|| format!("{expression} is {number}, and no number"))
    }

    /// How much of the window is seen.
    fn seen(&mut self) -> Result<(f64, f64), String> {
        let from = self.number("document.getElementById('diagram').dataset.from")?;
        let to = self.number("document.getElementById('diagram').dataset.to")?;
        Ok((from, to))
    }

    fn wide(&mut self) -> Result<f64, String> {
        self.seen().map(|(from, to)| to - from)
    }

    fn cursor(&mut self) -> Result<f64, String> {
        self.number("document.body.dataset.cursor")
    }

    fn wanted(&mut self) -> Result<f64, String> {
        self.number("document.body.dataset.wanted")
    }

    /// What is drawn, as a number that changes with it.
    fn drawn(&mut self, canvas: &str) -> Result<Value, String> {
        self.tab.eval(&format!(
            "[...document.getElementById({canvas:?}).toDataURL()].reduce((sum, c) => \
             (sum * 31 + c.codePointAt(0)) % 1000003, 7)"
        ))
    }

    /// A picture of the top of the page.
    fn picture(&mut self, what: &str) -> Done {
        self.tab.eval("scrollTo(0, 0)")?;
        self.tab.settle()?;
        self.picture_as_it_is(what)
    }

    fn picture_as_it_is(&mut self, what: &str) -> Done {
        let file = self.out.join(format!("{}-{what}.png", self.name));
        self.tab.picture(&file)
    }
}

/// The page of a run that failed, of so many replicas.
///
/// # Errors
/// What did not go as it should.
pub fn run_of(page: &mut Opened<'_>, replicas: u32, is_refuted: bool) -> Done {
    page.picture("light")?;
    head(page, replicas)?;
    violation(page)?;
    zooms(page)?;
    filters(page)?;
    walks(page)?;
    points(page)?;
    strip(page)?;
    if is_refuted {
        order(page)?;
        curve(page)?;
    }
    looks(page)
}

fn head(page: &mut Opened<'_>, replicas: u32) -> Done {
    page.holds(
        "the verdict is shown as a failure",
        "document.querySelector('#verdict.failed').textContent.length > 3",
    )?;
    page.holds(
        "the reproduce line is there",
        "document.querySelector('#reproduce code').textContent.includes('replay ')",
    )?;
    let lanes = page.number(&format!(
        "{DATA}.lanes.filter(lane => lane.sort === 'replica').length"
    ))?;
    page.is("replicas", lanes, f64::from(replicas))?;
    page.holds(
        "percentiles are there",
        "document.querySelectorAll('#waits tr').length > 3",
    )?;
    page.holds(
        "what the window leaves out is said",
        &format!(
            "{DATA}.window.before === 0 || \
             document.getElementById('window-note').textContent.includes('Left out are')"
        ),
    )
}

/// The button and the key lead to the violation, wherever one is.
fn violation(page: &mut Opened<'_>) -> Done {
    let at = page.number(&format!("{DATA}.violation[0]"))?;
    let time = page.number(&format!("{DATA}.violation[1]"))?;
    for way in ["click", "key"] {
        page.tab.key("Home")?;
        let away = page.cursor()?;
        page.so("Home leads away from the violation", away < at)?;
        match way {
            "click" => page.tab.click("#violation")?,
            _ => page.tab.key("v")?,
        }
        let there = page.cursor()?;
        page.so(
            "the cursor is at the violation",
            there <= at && there > away,
        )?;
        let (from, to) = page.seen()?;
        page.so("the violation is seen", from <= time && time <= to)?;
        page.holds(
            "the status says so",
            "document.getElementById('status').textContent.startsWith('the violation')",
        )?;
    }
    page.holds(
        "the event is in the list",
        "document.querySelectorAll('#events li.cursor').length === 1",
    )
}

fn zooms(page: &mut Opened<'_>) -> Done {
    let first = page.wide()?;
    page.tab.click("#closer")?;
    let closer = page.wide()?;
    page.so("+ goes closer", closer < first * 0.9)?;
    page.tab.wheel("#diagram", -240.0)?;
    let wheel = page.wide()?;
    page.so("the wheel goes closer", wheel < closer * 0.9)?;
    page.tab.key("-")?;
    let wider = page.wide()?;
    page.so("- goes wider", wider > wheel * 1.1)?;
    let before = page.seen()?;
    let (x, y) = page.tab.middle("#diagram")?;
    page.tab.drag((x, y), (x + 200.0, y))?;
    let after = page.seen()?;
    page.so("a drag moves to earlier times", after.0 < before.0)?;
    page.so(
        "a drag does not zoom",
        ((after.1 - after.0) / (before.1 - before.0) - 1.0).abs() < 1e-6,
    )?;
    page.tab.key("0")?;
    let all = page.wide()?;
    page.so("0 shows all of the window", all > first)?;
    page.picture("all")?;
    page.tab.click("#violation")
}

fn filters(page: &mut Opened<'_>) -> Done {
    let all = page.wanted()?;
    // The slot of the last message before the violation that is about one.
    let slot = page.number(&format!(
        "(data => data.messages.filter(it => it[5] && (it[3] || it[4][0])[0] <= \
         data.violation[0]).pop()[5][0])({DATA})"
    ))?;
    page.tab.click("#slot")?;
    for digit in format!("{slot}").chars() {
        page.tab.key(&digit.to_string())?;
    }
    let by_slot = page.wanted()?;
    page.so("a slot leaves some", by_slot > 0.0 && by_slot < all)?;
    page.holds(
        "all that is listed is about the slot",
        "[...document.querySelectorAll('#events li')].every(it => \
         /slot|accept|operation|asks|hears|executes/.test(it.textContent))",
    )?;
    page.tab.key("Escape")?;
    let cleared = page.wanted()?;
    page.is("Escape takes it off", cleared, all)?;

    // The last kind of message that is there, by its button.
    page.tab.click("#kinds button")?;
    let by_kind = page.wanted()?;
    page.so("a kind leaves some", by_kind > 0.0 && by_kind < all)?;
    page.holds(
        "its button is pressed",
        "document.querySelector('#kinds button').getAttribute('aria-pressed') === 'true'",
    )?;
    page.tab.click("#kinds button")?;
    let released = page.wanted()?;
    page.is("and let go", released, all)?;

    for (select, what) in [("#node", "a node"), ("#key", "a key")] {
        page.tab
            .eval(&format!("document.querySelector({select:?}).focus()"))?;
        page.tab.key("ArrowDown")?;
        let left = page.wanted()?;
        page.so(&format!("{what} leaves some"), left > 0.0 && left < all)?;
        page.tab.click("#clear")?;
        let cleared = page.wanted()?;
        page.is("Clear takes it off", cleared, all)?;
    }
    page.tab.eval("document.activeElement.blur()").map(|_| ())
}

fn walks(page: &mut Opened<'_>) -> Done {
    page.tab.key("v")?;
    let here = page.cursor()?;
    page.tab.key("ArrowLeft")?;
    let before = page.cursor()?;
    page.so("the left arrow goes back", before < here)?;
    page.tab.click("#next")?;
    let again = page.cursor()?;
    page.is("the next button goes on", again, here)?;
    page.tab.click("#events li")?;
    let listed = page.cursor()?;
    page.so("a line of the list is gone to", listed < here)?;
    page.holds(
        "only what changed in the replicas is told",
        "(() => { const told = document.querySelectorAll('#replicas span.is').length; \
         document.getElementById('unchanged').click(); \
         const all = document.querySelectorAll('#replicas tr span').length; \
         document.getElementById('unchanged').click(); return told < all; })()",
    )
}

/// Pointing at an arrival draws what led to it, and a click goes there.
fn points(page: &mut Opened<'_>) -> Done {
    page.tab.key("v")?;
    let (x, y) = page.tab.middle("#diagram")?;
    let left = page.number("document.getElementById('diagram').getBoundingClientRect().left")?;
    let top = page.number("document.getElementById('diagram').getBoundingClientRect().top")?;
    let width = page.number("document.getElementById('diagram').clientWidth")?;
    let (from, to) = page.seen()?;
    // An arrival at a replica that is seen, far from the cursor, and the lane where it is.
    let found = page.tab.eval(&format!(
        "(data => {{ const seen = data.messages.filter(it => it[3] && it[1] < 3 && it[4].length > 0 \
         && it[4][0][1] > {from} && it[4][0][1] < {to} && it[4][0][0] < data.violation[0]); \
         const one = seen[Math.floor(seen.length / 2)]; \
         return one && [one[4][0][0], one[4][0][1], one[1], data.lanes.length]; }})({DATA})"
    ))?;
    let (Some(time), Some(lane), Some(lanes)) =
        (found[1].as_f64(), found[2].as_f64(), found[3].as_f64())
    else {
        return Err(format!("no arrival is seen round the violation: {found}"));
    };
    let gap = if lanes > 14.0 { 26.0 } else { 38.0 };
    let at = (
        left + 76.0 + (time - from) / (to - from) * (width - 76.0 - 14.0),
        top + 48.0 + lane * gap,
    );
    page.tab.point((x, y - 1000.0))?;
    let plain = page.drawn("diagram")?;
    page.tab.point(at)?;
    let pointed = page.drawn("diagram")?;
    page.so("pointing draws what led to it", plain != pointed)?;
    page.picture_as_it_is("causes")?;
    page.tab.click_at(at)?;
    let number = page.cursor()?;
    let (low, high) = (time - (to - from) * 0.01, time + (to - from) * 0.01);
    let near = page.tab.eval(&format!(
        "(data => data.messages.some(it => [it[3], ...it[4]].some(at => at && at[0] === {number} \
         && at[1] >= {low} && at[1] <= {high})) || data.happenings.some(it => it[0][0] === \
         {number} && it[0][1] >= {low} && it[0][1] <= {high}))({DATA})"
    ))?;
    page.is("a click goes to what was pointed at", near, true)
}

fn strip(page: &mut Opened<'_>) -> Done {
    let before = page.cursor()?;
    let (x, y) = page.tab.middle("#strip")?;
    page.tab.click_at((x - 300.0, y))?;
    let after = page.cursor()?;
    page.so("a click on the strip goes elsewhere", after != before)?;
    page.holds(
        "leaders are on it",
        &format!("{DATA}.spans.some(span => span.sort === 'leads')"),
    )
}

/// The bake-in curve is drawn, where there is one.
fn curve(page: &mut Opened<'_>) -> Done {
    page.tab.middle("#bake-in")?;
    page.tab.settle()?;
    page.holds(
        "the curve is drawn",
        "document.getElementById('bake-in').getContext('2d').getImageData(0, 0, 2000, 120).data\
         .some(part => part > 0)",
    )?;
    page.picture_as_it_is("curve")
}

/// The order that came nearest is listed, and leads to its operations.
fn order(page: &mut Opened<'_>) -> Done {
    page.holds(
        "why there is no order is said",
        "document.getElementById('why-text').textContent.includes('cannot be placed')",
    )?;
    page.tab.click("#why summary")?;
    page.holds(
        "the order is listed",
        &format!(
            "document.querySelectorAll('#order li').length === {DATA}.explanation.order.length"
        ),
    )?;
    page.tab.key("v")?;
    let before = page.cursor()?;
    page.tab.click("#order li")?;
    let after = page.cursor()?;
    page.so("an operation of it is gone to", after != before)?;
    page.tab.click("#why summary")?;
    page.tab.key("v")
}

/// Dark and light, by order of events, and on a narrow window.
fn looks(page: &mut Opened<'_>) -> Done {
    page.tab.key("v")?;
    page.tab.key("o")?;
    page.holds(
        "o goes by the order of events",
        "document.getElementById('axis').value === 'order'",
    )?;
    page.picture("order")?;
    page.tab.key("o")?;
    let paper = "getComputedStyle(document.documentElement).backgroundColor";
    let light = page.tab.eval(paper)?;
    page.tab.click("#theme")?;
    let dark = page.tab.eval(paper)?;
    page.so("the button makes it dark", light != dark)?;
    page.tab.click("#theme")?;
    page.tab.look(WIDTH, HEIGHT, "dark")?;
    let asked = page.tab.eval(paper)?;
    page.is("so does the reader's system", asked, dark)?;
    page.picture("dark")?;
    page.tab.look(600, 1400, "light")?;
    page.holds(
        "nothing is wider than 600 pixels",
        "document.documentElement.scrollWidth <= 600",
    )?;
    page.tab.key("v")?;
    page.picture("narrow")?;
    page.tab.key("?")?;
    page.holds(
        "? lists the keys",
        "!document.getElementById('keys').hidden",
    )
}

/// The page of a run that passed: it opens at the beginning, and has no violation to go to.
///
/// # Errors
/// What did not go as it should.
pub fn passing(page: &mut Opened<'_>) -> Done {
    page.picture("light")?;
    page.holds(
        "nothing failed",
        "document.querySelector('#verdict').textContent === 'pass' && \
         document.getElementById('violation').disabled",
    )?;
    page.tab.key("v")?;
    page.holds(
        "v says so",
        "document.getElementById('status').textContent.includes('no violation')",
    )?;
    let before = page.wide()?;
    page.tab.key("+")?;
    let after = page.wide()?;
    page.so("it zooms", after < before)
}

/// The page of a history that tries to be more than text.
///
/// # Errors
/// What did not go as it should.
pub fn evil(page: &mut Opened<'_>) -> Done {
    page.picture("light")?;
    page.holds("nothing of it ran", "window.broken === undefined")?;
    page.holds(
        "nothing of it became an element",
        "document.scripts.length === 2 && \
         document.querySelectorAll('img, iframe, object, embed, svg').length === 0",
    )?;
    let texts = json!(STRANGE[..2]);
    page.holds(
        "it is text",
        &format!(
            "{texts}.every(text => document.body.innerText.includes(text) || \
             document.getElementById('why-text').textContent.includes(text.slice(0, 8)))"
        ),
    )?;
    page.holds(
        "texts are kept apart, whichever way they are written",
        "[...document.querySelectorAll('#events bdi')].length > 3",
    )?;
    page.holds(
        "what would turn its neighbours round is shown as its number",
        "!/[\\u202a-\\u202e\\u2028]/.test(document.body.innerText) && \
         document.body.innerText.includes('\\\\u{202e}')",
    )?;
    page.holds(
        "the list reads from left to right",
        "[...document.querySelectorAll('#events li')].every(it => \
         it.querySelector('.when').getBoundingClientRect().left < \
         it.querySelector('bdi').getBoundingClientRect().right)",
    )?;
    page.tab.key("0")?;
    page.tab.key("v")?;
    page.tab.click("#events li")?;
    page.tab.eval("document.querySelector('#key').focus()")?;
    page.tab.key("ArrowDown")?;
    page.holds(
        "a key is asked for",
        "document.getElementById('status').textContent.includes(' of ')",
    )?;
    page.tab.click("#clear")?;
    page.tab.click("#why summary")?;
    page.tab.click("#order li")?;
    page.holds("and still nothing ran", "window.broken === undefined")?;
    page.tab.look(600, 1400, "dark")?;
    page.holds(
        "nothing is wider than 600 pixels",
        "document.documentElement.scrollWidth <= 600",
    )?;
    page.picture("narrow-dark")?;
    guarded(page)
}

/// If something of a history became a script after all, it would not run, nor reach a network; and the
/// console says so, which this would hear.
fn guarded(page: &mut Opened<'_>) -> Done {
    page.tab.is_clean()?;
    page.tab.eval(
        "document.body.append(Object.assign(document.createElement('script'), \
         {textContent: 'window.broken = 4'}))",
    )?;
    page.tab.eval(
        "document.body.append(Object.assign(document.createElement('img'), \
         {src: 'https://example.invalid/x.png'}))",
    )?;
    page.tab
        .eval("fetch('https://example.invalid/').catch(() => 0)")?;
    page.holds(
        "a script that is put in does not run",
        "window.broken === undefined",
    )?;
    let complaints = page.tab.is_clean().err().unwrap_or_default();
    let refused = complaints.matches("Content Security Policy").count();
    page.so(
        &format!("the policy refuses all three: {complaints}"),
        refused >= 3,
    )
}

/// A history that is not linearizable, with strange keys and values.
pub fn strange_history() -> String {
    let mut lines = Vec::new();
    let mut time = 0;
    let mut says = |process: usize, kind: &str, f: &str, key: &str, value: Value| {
        time += 10;
        lines.push(json!({
            "process": process, "type": kind, "f": f, "key": key, "value": value, "time": time,
        }));
    };
    for (process, key) in STRANGE.iter().enumerate() {
        for value in STRANGE {
            let value = json!(format!("{value} by {process}"));
            says(process, "invoke", "write", key, value.clone());
            says(process, "ok", "write", key, value);
        }
    }
    // What was overwritten is read again.
    says(9, "invoke", "read", STRANGE[0], Value::Null);
    says(
        9,
        "ok",
        "read",
        STRANGE[0],
        json!(format!("{} by 0", STRANGE[1])),
    );
    lines.iter().map(|line| format!("{line}\n")).collect()
}
