//! The status page of a server that runs, in a real browser.

use std::time::Duration;

use stairway_tests::Browser;

use crate::scene::{Scene, Unusual, open_gate, until};

/// How soon the page has to show by itself what has changed: it looks once a second.
const SOON: Duration = Duration::from_secs(30);

/// The browser blocks, the server goes on meanwhile.
fn browse<T>(work: impl FnOnce() -> T) -> T {
    tokio::task::block_in_place(work)
}

async fn second_step(scene: &Scene) {
    until("the second step runs", async || {
        let body = scene.get("/health/startup").await.json();
        (body["revision"] == "m20260101_000002_second").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_follows_a_migration_by_itself_and_says_when_the_server_is_gone() {
    let Some(mut browser) = browse(Browser::start) else {
        return;
    };
    let test = "browser_follows";
    let scene = Scene::start(test, Unusual::default()).await;
    open_gate(test, 1);
    second_step(&scene).await;
    let url = format!("http://{}/", scene.address);
    browse(|| {
        browser.open(&url);
        // Goes away if the page is loaded anew.
        browser.evaluate("window.same = true");
        let shows = "document.getElementById('lead').textContent === 'Step 2 of 3 is running.' \
                     && document.querySelector('progress').value === 1";
        browser.wait_for("the running step is shown", SOON, shows);
    });
    open_gate(test, 2);
    browse(|| {
        let shows = "document.getElementById('running-revision').textContent === 'm20260101_000003_third' \
                     && document.querySelector('progress').value === 2";
        browser.wait_for("the next step is shown", SOON, shows);
    });
    open_gate(test, 3);
    browse(|| {
        let shows = "document.getElementById('state').textContent.includes('Up to date') \
                     && document.getElementById('announcement').textContent.startsWith('Up to date')";
        browser.wait_for("the end is shown, and announced", SOON, shows);
        assert_eq!(browser.evaluate("window.same"), true, "without a reload");
        let trail = browser.evaluate("document.body.innerText");
        let trail = trail.as_str().expect("text");
        assert!(trail.contains("m20260101_000003_third"), "{trail}");
        let (requests, complaints) = browser.requests_and_complaints();
        let elsewhere: Vec<_> = requests
            .iter()
            .filter(|request| !request.starts_with(&url))
            .collect();
        assert!(elsewhere.is_empty(), "{elsewhere:?}");
        // Being not ready yet is an answer, and the browser counts it as an error.
        let complaints: Vec<_> = complaints
            .iter()
            .filter(|entry| !entry.to_string().contains("503"))
            .collect();
        assert!(complaints.is_empty(), "{complaints:#?}");
    });
    scene.end().await.expect("asked to end");
    browse(|| {
        let shows = "document.getElementById('lead').textContent.includes('stopped answering')";
        browser.wait_for("that the server is gone is shown", SOON, shows);
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_scripts_the_page_says_the_same_and_loads_itself_anew() {
    let Some(mut browser) = browse(Browser::start) else {
        return;
    };
    let test = "browser_without_scripts";
    let scene = Scene::start(test, Unusual::default()).await;
    open_gate(test, 1);
    second_step(&scene).await;
    browse(|| {
        browser.allow_scripts(false);
        browser.open(&format!("http://{}/", scene.address));
        let shows = "document.getElementById('lead').textContent === 'Step 2 of 3 is running.'";
        assert_eq!(browser.evaluate(shows), true);
    });
    open_gate(test, 3);
    browse(|| {
        let shows = "document.getElementById('state').textContent.includes('Up to date')";
        browser.wait_for("the end is shown", SOON, shows);
    });
    scene.end().await.expect("asked to end");
}
