//! A tab of a headless browser, driven over the DevTools protocol: the mouse, the keyboard, and what
//! the console says.
//!
//! The protocol runs over two pipes (`--remote-debugging-pipe`), which a shell puts where the browser
//! expects them: no port, and nothing of a socket.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// So long an answer may take.
const ANSWER: Duration = Duration::from_secs(60);

/// A tab.
pub struct Tab {
    browser: Child,
    commands: ChildStdin,
    answers: Receiver<Value>,
    session: Option<String>,
    number: u64,
    /// What the console, or an exception, said since somebody asked.
    problems: Vec<String>,
    /// What was asked for over the network.
    requests: BTreeSet<String>,
}

impl Drop for Tab {
    fn drop(&mut self) {
        let _ = self.browser.kill();
        let _ = self.browser.wait();
    }
}

impl Tab {
    /// Starts a browser with one empty tab. It keeps what it writes in this folder.
    ///
    /// # Errors
    /// When it does not start.
    pub fn open(program: &Path, folder: &Path) -> Result<Self, String> {
        // 3 is where the browser reads commands, 4 where it writes answers.
        let script = "exec \"$0\" --headless --no-sandbox --disable-gpu --hide-scrollbars \
                      --no-first-run --disable-extensions --disable-background-networking \
                      --disable-component-update --remote-debugging-pipe --user-data-dir=\"$1\" \
                      about:blank 3<&0 4>&1 0</dev/null 1>/dev/null 2>/dev/null";
        let mut browser = Command::new("sh")
            .args(["-c", script])
            .arg(program)
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let commands = browser.stdin.take().ok_or("no pipe to the browser")?;
        let stdout = browser.stdout.take().ok_or("no pipe from the browser")?;
        let (send, answers) = channel();
        std::thread::spawn(move || {
            for message in BufReader::new(stdout).split(0) {
                let parsed = message.ok().and_then(|it| serde_json::from_slice(&it).ok());
                let sent = parsed.map(|message: Value| send.send(message));
                if !matches!(sent, Some(Ok(()))) {
                    return;
                }
            }
        });
        let mut tab = Self {
            browser,
            commands,
            answers,
            session: None,
            number: 0,
            problems: Vec::new(),
            requests: BTreeSet::new(),
        };
        let made = tab.call("Target.createTarget", &json!({"url": "about:blank"}))?;
        let attach = json!({"targetId": made["targetId"], "flatten": true});
        let attached = tab.call("Target.attachToTarget", &attach)?;
        tab.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            tab.call(&format!("{domain}.enable"), &json!({}))?;
        }
        Ok(tab)
    }

    /// Asks the browser for something, and waits for the answer.
    ///
    /// # Errors
    /// When it refuses, or does not answer.
    pub fn call(&mut self, method: &str, parameters: &Value) -> Result<Value, String> {
        self.number += 1;
        let mut command = json!({"id": self.number, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        let written = self
            .commands
            .write_all(format!("{command}\0").as_bytes())
            .and_then(|()| self.commands.flush());
        written.map_err(|error| format!("the browser has gone: {error}"))?;
        let until = Instant::now() + ANSWER;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let message = self
                .answers
                .recv_timeout(left)
                .map_err(|_| format!("{method}: the browser does not answer"))?;
            if message["id"] != json!(self.number) {
                self.hear(&message);
            } else if message["error"].is_null() {
                return Ok(message["result"].clone());
            } else {
                return Err(format!("{method}: {}", message["error"]["message"]));
            }
        }
    }

    /// Keeps what the browser says by itself and matters.
    fn hear(&mut self, message: &Value) {
        let parameters = &message["params"];
        match message["method"].as_str().unwrap_or_default() {
            "Runtime.exceptionThrown" => {
                let details = &parameters["exceptionDetails"];
                let text = &details["exception"]["description"];
                self.problems.push(format!("exception: {text}"));
            }
            "Runtime.consoleAPICalled" => {
                let words = &parameters["args"][0]["value"];
                self.problems.push(format!("console: {words}"));
            }
            "Log.entryAdded" => {
                let entry = &parameters["entry"];
                self.problems.push(format!("log: {}", entry["text"]));
            }
            "Network.requestWillBeSent" => {
                let url = parameters["request"]["url"].as_str().unwrap_or_default();
                self.requests.insert(url.to_owned());
            }
            _ => {}
        }
    }

    /// What went wrong since the last time, and what was asked for over a network.
    ///
    /// # Errors
    /// When there is something.
    pub fn is_clean(&mut self) -> Result<(), String> {
        // What was said before this is heard before its answer.
        self.eval("0")?;
        let requests = std::mem::take(&mut self.requests);
        let foreign = |url: &String| !url.starts_with("file:") && !url.starts_with("data:");
        let mut problems = std::mem::take(&mut self.problems);
        problems.extend(requests.into_iter().filter(foreign));
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems.join("\n"))
        }
    }

    /// Opens a file and waits until its page says that it is ready.
    ///
    /// # Errors
    /// When it never does.
    pub fn load(&mut self, file: &Path) -> Result<(), String> {
        let url = format!("file://{}", file.display());
        self.call("Page.navigate", &json!({"url": url}))?;
        let until = Instant::now() + ANSWER;
        while self.eval("document.body && document.body.dataset.ready")? != "yes" {
            if Instant::now() > until {
                let problems = self.is_clean().err().unwrap_or_default();
                return Err(format!("{url} does not get ready\n{problems}"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.settle()
    }

    /// What an expression of JavaScript is, in the page.
    ///
    /// # Errors
    /// When it throws.
    pub fn eval(&mut self, expression: &str) -> Result<Value, String> {
        let parameters =
            json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.call("Runtime.evaluate", &parameters)?;
        match &answer["exceptionDetails"] {
            Value::Null => Ok(answer["result"]["value"].clone()),
            thrown => Err(format!(
                "{expression}: {}",
                thrown["exception"]["description"]
            )),
        }
    }

    /// Waits until the page has drawn what it was told.
    ///
    /// # Errors
    /// When it does not draw.
    pub fn settle(&mut self) -> Result<(), String> {
        let frames = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => \
                      done(1))))";
        self.eval(frames).map(|_| ())
    }

    /// A key goes down and up: a character, or the name of a key.
    ///
    /// # Errors
    /// When the browser refuses.
    pub fn key(&mut self, key: &str) -> Result<(), String> {
        let is_character = key.chars().count() == 1;
        let code = match key {
            "ArrowLeft" => 37,
            "ArrowRight" => 39,
            "ArrowDown" => 40,
            "Escape" => 27,
            "Home" => 36,
            "End" => 35,
            _ => 0,
        };
        let mut down = json!({
            "type": if is_character { "keyDown" } else { "rawKeyDown" },
            "key": key, "windowsVirtualKeyCode": code,
        });
        if is_character {
            down["text"] = json!(key);
        }
        self.call("Input.dispatchKeyEvent", &down)?;
        let up = json!({"type": "keyUp", "key": key, "windowsVirtualKeyCode": code});
        self.call("Input.dispatchKeyEvent", &up)?;
        self.settle()
    }

    /// The middle of an element, brought into view, in the window's pixels.
    ///
    /// # Errors
    /// When there is none.
    pub fn middle(&mut self, selector: &str) -> Result<(f64, f64), String> {
        let found = self.eval(&format!(
            "(() => {{ const it = document.querySelector({selector:?}); if (!it) return null; \
             it.scrollIntoView({{block: 'center'}}); const box = it.getBoundingClientRect(); \
             return [box.left + box.width / 2, box.top + box.height / 2]; }})()"
        ))?;
        match (found[0].as_f64(), found[1].as_f64()) {
            (Some(x), Some(y)) => Ok((x, y)),
            _ => Err(format!("there is no {selector}")),
        }
    }

    /// The mouse moves there.
    ///
    /// # Errors
    /// When the browser refuses.
    pub fn point(&mut self, (x, y): (f64, f64)) -> Result<(), String> {
        self.mouse("mouseMoved", x, y)?;
        self.settle()
    }

    /// The mouse is pressed in one place and let go in another.
    ///
    /// # Errors
    /// When the browser refuses.
    pub fn drag(&mut self, from: (f64, f64), to: (f64, f64)) -> Result<(), String> {
        self.mouse("mouseMoved", from.0, from.1)?;
        self.mouse("mousePressed", from.0, from.1)?;
        self.mouse("mouseMoved", f64::midpoint(from.0, to.0), to.1)?;
        self.mouse("mouseMoved", to.0, to.1)?;
        self.mouse("mouseReleased", to.0, to.1)?;
        self.settle()
    }

    /// A click there.
    ///
    /// # Errors
    /// When the browser refuses.
    pub fn click_at(&mut self, at: (f64, f64)) -> Result<(), String> {
        self.mouse("mouseMoved", at.0, at.1)?;
        self.mouse("mousePressed", at.0, at.1)?;
        self.mouse("mouseReleased", at.0, at.1)?;
        self.settle()
    }

    /// A click on an element.
    ///
    /// # Errors
    /// When there is none.
    pub fn click(&mut self, selector: &str) -> Result<(), String> {
        let at = self.middle(selector)?;
        self.click_at(at)
    }

    /// The wheel turns over an element.
    ///
    /// # Errors
    /// When there is none.
    pub fn wheel(&mut self, selector: &str, by: f64) -> Result<(), String> {
        let (x, y) = self.middle(selector)?;
        let turn = json!({"type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": by});
        self.call("Input.dispatchMouseEvent", &turn)?;
        self.settle()
    }

    fn mouse(&mut self, what: &str, x: f64, y: f64) -> Result<(), String> {
        let button = if what == "mouseMoved" { "none" } else { "left" };
        let event = json!({"type": what, "x": x, "y": y, "button": button, "clickCount": 1});
        self.call("Input.dispatchMouseEvent", &event).map(|_| ())
    }

    /// The window gets this width and height, and the reader likes it dark or light.
    ///
    /// # Errors
    /// When the browser refuses.
    pub fn look(&mut self, width: u32, height: u32, scheme: &str) -> Result<(), String> {
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", &size)?;
        let feature = json!({"name": "prefers-color-scheme", "value": scheme});
        self.call(
            "Emulation.setEmulatedMedia",
            &json!({"features": [feature]}),
        )?;
        self.settle()
    }

    /// A picture of the window.
    ///
    /// # Errors
    /// When it cannot be taken or written.
    pub fn picture(&mut self, file: &Path) -> Result<(), String> {
        let shot = self.call("Page.captureScreenshot", &json!({"format": "png"}))?;
        let bytes = decoded(shot["data"].as_str().unwrap_or_default());
        std::fs::write(file, bytes).map_err(|error| format!("{}: {error}", file.display()))
    }
}

/// Base64 as bytes; what is no digit of it is passed over.
fn decoded(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut count) = (0_u32, 0);
    for digit in text.bytes() {
        let Some(value) = DIGITS.iter().position(|known| *known == digit) else {
            continue;
        };
        bits = bits << 6 | u32::try_from(value).expect("below 64");
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from(bits >> count & 0xff).expect("eight bits"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read() {
        assert_eq!(decoded("c3lub2Q="), b"synod");
        assert_eq!(decoded("AP8Q\n"), [0, 255, 16]);
    }
}
