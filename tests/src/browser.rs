//! A headless Chromium, driven through its `DevTools` protocol over a pair of pipes: no port, no
//! driver, no websocket.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::has_programs;
use crate::wait::holds_within;

/// Whatever the browser has not done by then it does not do.
const DEADLINE: Duration = Duration::from_mins(2);

/// A browser with one page; closed when dropped.
pub struct Browser {
    child: Child,
    commands: File,
    messages: Receiver<Value>,
    last_call: u64,
    session: String,
    events: Vec<Value>,
    // Removed after the browser has ended.
    _directory: TempDir,
}

impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Browser").finish_non_exhaustive()
    }
}

impl Browser {
    /// Starts a browser, if Chromium is installed.
    ///
    /// # Panics
    /// The browser does not do it in time.
    pub fn start() -> Option<Self> {
        if !has_programs(&["chromium"]) {
            return None;
        }
        let directory = TempDir::new().expect("a temporary directory");
        let path = |name: &str| directory.path().join(name);
        let made = Command::new("mkfifo")
            .args([path("to"), path("from")])
            .status();
        assert!(made.is_ok_and(|status| status.success()), "pipes are made");
        // It reads from descriptor 3 and writes to descriptor 4, which only a shell can give it.
        let child = Command::new("sh")
            .args(["-c", "exec \"$@\" 3<\"$TO\" 4>\"$FROM\"", "sh", "chromium"])
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--remote-debugging-pipe",
            ])
            .arg(format!("--user-data-dir={}", path("profile").display()))
            .arg("about:blank")
            .env("TO", path("to"))
            .env("FROM", path("from"))
            .env("HOME", directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell is there");
        let commands = File::options()
            .write(true)
            .open(path("to"))
            .expect("the pipe is there");
        let from = BufReader::new(File::open(path("from")).expect("the pipe is there"));
        let (sender, messages) = channel();
        thread::spawn(move || {
            for message in from.split(0).map_while(Result::ok) {
                let message = serde_json::from_slice(&message).unwrap_or_default();
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let mut browser = Self {
            child,
            commands,
            messages,
            last_call: 0,
            session: String::new(),
            events: Vec::new(),
            _directory: directory,
        };
        browser.attach();
        Some(browser)
    }

    fn attach(&mut self) {
        let target = self.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = self.call("Target.attachToTarget", attach);
        let session = attached["sessionId"].as_str().expect("an id");
        session.clone_into(&mut self.session);
        for domain in ["Page", "Runtime", "Network", "Log", "Accessibility"] {
            self.call(&format!("{domain}.enable"), json!({}));
        }
    }

    /// Calls a method of the `DevTools` protocol and returns its result.
    ///
    /// # Panics
    /// The browser does not do it in time.
    #[track_caller]
    pub fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.last_call += 1;
        let id = self.last_call;
        let mut message = json!({ "id": id, "method": method });
        message["params"] = parameters;
        if !self.session.is_empty() {
            message["sessionId"] = self.session.clone().into();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.commands.write_all(&bytes).expect("it listens");
        let deadline = Instant::now() + DEADLINE;
        loop {
            let answer = self.next(deadline, method);
            if answer["id"] == id {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].clone();
            }
            self.events.push(answer);
        }
    }

    #[track_caller]
    fn next(&mut self, deadline: Instant, what: &str) -> Value {
        let left = deadline.saturating_duration_since(Instant::now());
        match self.messages.recv_timeout(left) {
            Ok(message) => message,
            Err(RecvTimeoutError::Timeout) => panic!("{what}: the browser does not answer"),
            Err(RecvTimeoutError::Disconnected) => panic!("{what}: the browser has ended"),
        }
    }

    /// Goes to an address and waits until the page is loaded.
    ///
    /// # Panics
    /// The browser does not do it in time.
    #[track_caller]
    pub fn open(&mut self, url: &str) {
        self.events.clear();
        let went = self.call("Page.navigate", json!({ "url": url }));
        assert!(went["errorText"].is_null(), "{url}: {}", went["errorText"]);
        let deadline = Instant::now() + DEADLINE;
        let is_loaded = |event: &Value| event["method"] == "Page.loadEventFired";
        while !self.events.iter().any(is_loaded) {
            let event = self.next(deadline, url);
            self.events.push(event);
        }
    }

    /// The value of a JavaScript expression, also where the page's own scripts are switched off.
    ///
    /// # Panics
    /// The browser does not do it in time.
    #[track_caller]
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let parameters = json!({
            "expression": expression, "returnByValue": true, "awaitPromise": true,
        });
        let answer = self.call("Runtime.evaluate", parameters);
        assert!(
            answer["exceptionDetails"].is_null(),
            "{expression}: {}",
            answer["exceptionDetails"]
        );
        answer["result"]["value"].clone()
    }

    /// Waits until an expression is true.
    ///
    /// # Panics
    /// The browser does not do it in time.
    #[track_caller]
    pub fn wait_for(&mut self, what: &str, deadline: Duration, expression: &str) {
        let holds = holds_within(deadline, || self.evaluate(expression) == true);
        assert!(
            holds,
            "in vain: {what}: {}",
            self.evaluate("document.body.innerText")
        );
    }

    /// Sets the size of the window in CSS pixels and the colours that the person prefers.
    ///
    /// # Panics
    /// The browser does not do it in time.
    pub fn look(&mut self, width: u32, height: u32, scheme: &str) {
        let metrics = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600,
        });
        self.call("Emulation.setDeviceMetricsOverride", metrics);
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call(
            "Emulation.setEmulatedMedia",
            json!({ "features": features }),
        );
    }

    /// Switches the page's own scripts on or off.
    ///
    /// # Panics
    /// The browser does not do it in time.
    pub fn allow_scripts(&mut self, allowed: bool) {
        let parameters = json!({ "value": !allowed });
        self.call("Emulation.setScriptExecutionDisabled", parameters);
    }

    /// Presses a key and lets it go.
    ///
    /// # Panics
    /// The browser does not do it in time.
    pub fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, None),
            "Enter" => (13, Some("\r")),
            " " => (32, Some(" ")),
            other => panic!("no code for {other}"),
        };
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({
                "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code,
            });
            if let (Some(text), "keyDown") = (text, kind) {
                event["text"] = text.into();
            }
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Writes what is seen, the whole page, to a PNG file.
    ///
    /// # Panics
    /// The browser does not do it in time.
    pub fn screenshot(&mut self, file: &Path) {
        use base64::Engine as _;

        let parameters = json!({ "format": "png", "captureBeyondViewport": true });
        let picture = self.call("Page.captureScreenshot", parameters);
        let data = picture["data"].as_str().expect("a picture");
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(data)
            .expect("it is base64");
        std::fs::write(file, bytes).expect("the picture can be written");
    }

    /// What a screen reader gets: one line for each node that is not ignored, indented, as
    /// `role "name" (state)`.
    ///
    /// # Panics
    /// The browser does not do it in time.
    #[track_caller]
    pub fn accessibility_tree(&mut self) -> String {
        let tree = self.call("Accessibility.getFullAXTree", json!({}));
        let nodes = tree["nodes"].as_array().expect("nodes");
        let root = nodes.first().expect("a root");
        let mut text = String::new();
        write_node(nodes, root, 0, &mut text);
        text
    }

    /// The addresses that the page has asked for since it was opened, and what it complained about.
    ///
    /// # Panics
    /// The browser does not do it in time.
    pub fn requests_and_complaints(&mut self) -> (Vec<String>, Vec<Value>) {
        // So that everything before it has arrived.
        self.evaluate("1");
        let (mut requests, mut complaints) = (Vec::new(), Vec::new());
        for event in &self.events {
            let parameters = &event["params"];
            match event["method"].as_str() {
                Some("Network.requestWillBeSent") => {
                    requests.extend(parameters["request"]["url"].as_str().map(str::to_owned));
                }
                Some("Runtime.exceptionThrown") => complaints.push(parameters.clone()),
                Some("Log.entryAdded") if parameters["entry"]["level"] != "info" => {
                    complaints.push(parameters["entry"].clone());
                }
                _ => {}
            }
        }
        (requests, complaints)
    }
}

/// Roles that say nothing by themselves: their children stand for them.
const WITHOUT_MEANING: [&str; 4] = ["none", "generic", "InlineTextBox", "LineBreak"];

fn write_node(nodes: &[Value], node: &Value, depth: usize, text: &mut String) {
    use std::fmt::Write as _;

    let role = node["role"]["value"].as_str().unwrap_or_default();
    let is_silent = node["ignored"] == true || WITHOUT_MEANING.contains(&role);
    if !is_silent {
        let name = node["name"]["value"].as_str().unwrap_or_default();
        let mut line = format!("{:indent$}{role}", "", indent = depth * 2);
        if !name.is_empty() {
            let _ = write!(line, " \"{name}\"");
        }
        for property in node["properties"].as_array().into_iter().flatten() {
            let value = &property["value"]["value"];
            match property["name"].as_str() {
                Some(name @ ("level" | "expanded" | "live" | "valuetext" | "busy")) => {
                    let _ = write!(line, " ({name} {value})");
                }
                Some("focusable") if value == true => line.push_str(" (focusable)"),
                _ => {}
            }
        }
        let _ = writeln!(text, "{line}");
    }
    // The text of a heading or a link is its name already.
    if matches!(role, "heading" | "StaticText") {
        return;
    }
    for child in node["childIds"].as_array().into_iter().flatten() {
        if let Some(child) = nodes.iter().find(|node| node["nodeId"] == *child) {
            write_node(nodes, child, depth + usize::from(!is_silent), text);
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.session.clear();
        let close = json!({ "id": 0, "method": "Browser.close" });
        let mut bytes = close.to_string().into_bytes();
        bytes.push(0);
        // If it does not hear, it is ended the other way.
        drop(self.commands.write_all(&bytes));
        let child = &mut self.child;
        let ended = holds_within(Duration::from_secs(5), || {
            matches!(child.try_wait(), Ok(Some(_)))
        });
        if !ended {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}
