//! The status page: one HTML document that stands by itself. Pure: what is shown comes in as a
//! value, and nothing from a database or a revision gets in unescaped.

mod escape;
pub(crate) mod graph;
mod headline;
mod sections;
#[cfg(test)]
mod tests;
mod words;

use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use stairway_plan::report::{AuditEntry, StatusReport};

use crate::progress::StartupReport;
use crate::source::PendingStep;
use crate::unavailable::Unavailable;

use escape::Escaped;
use graph::GraphDrawing;
use headline::{Headline, Tone};

const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/script.js");

/// The mark of the page: three steps.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E\
     %3Cpath d='M1 15v-4h5V7h5V3h4v12z' fill='%232f7d54'/%3E%3C/svg%3E";

/// The `Content-Security-Policy` of the page: its own style and script by their digests, requests
/// to where it came from, and nothing else.
pub(crate) static CONTENT_SECURITY_POLICY: LazyLock<String> = LazyLock::new(|| {
    let digest = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; \
         img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        digest(STYLE),
        digest(SCRIPT)
    )
});

/// What the page shows.
#[derive(Debug)]
pub(crate) struct StatusPage<'a> {
    /// The path that the endpoints stand under; ends in `/`.
    pub(crate) base: &'a str,
    /// The version of the application.
    pub(crate) version: &'a str,
    /// The name of the database that is shown.
    pub(crate) database: &'a str,
    /// All databases, if there are several.
    pub(crate) databases: Vec<DatabaseLink<'a>>,
    pub(crate) startup: StartupReport,
    pub(crate) status: Result<&'a StatusReport, &'a Unavailable>,
    pub(crate) drawing: &'a GraphDrawing,
    /// The SQL of what is pending; absent when nothing is, or while it is being applied.
    pub(crate) preview: Option<Result<&'a [PendingStep], &'a Unavailable>>,
    pub(crate) audit: Result<&'a [AuditEntry], &'a Unavailable>,
    pub(crate) now: DateTime<Utc>,
}

/// A database among several.
#[derive(Clone, Debug)]
pub(crate) struct DatabaseLink<'a> {
    pub(crate) name: &'a str,
    pub(crate) startup: StartupReport,
    pub(crate) status: Result<StatusReport, Arc<Unavailable>>,
}

impl StatusPage<'_> {
    /// The document.
    pub(crate) fn render(&self) -> String {
        let headline = Headline::of(&self.startup, self.status);
        let mut html = String::with_capacity(32 * 1024);
        self.head(&mut html, &headline);
        self.masthead(&mut html);
        self.main(&mut html, &headline);
        self.footer(&mut html);
        html
    }

    fn head(&self, html: &mut String, headline: &Headline) {
        let title = Escaped(&headline.title);
        let database = Escaped(self.database);
        // While something happens a browser without JavaScript loads the page again by itself.
        let refresh = if headline.tone == Tone::Busy { 3 } else { 30 };
        put(
            html,
            format_args!(
                "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
                 <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
                 <meta name=\"color-scheme\" content=\"light dark\">\n\
                 <meta name=\"robots\" content=\"noindex\">\n\
                 <title>{title} · {database} · Stairway</title>\n\
                 <link rel=\"icon\" href=\"{ICON}\">\n\
                 <style>{STYLE}</style>\n\
                 <noscript><meta http-equiv=\"refresh\" content=\"{refresh}\"></noscript>\n</head>\n"
            ),
        );
    }

    fn masthead(&self, html: &mut String) {
        put(
            html,
            format_args!(
                "<body data-base=\"{base}\">\n\
                 <a class=\"skip\" href=\"#main\">Skip to the status</a>\n\
                 <header class=\"masthead\">\n\
                 <p class=\"mark\"><svg viewBox=\"0 0 16 16\" width=\"22\" height=\"22\" aria-hidden=\"true\" \
                 focusable=\"false\"><path d=\"M1 15v-4h5V7h5V3h4v12z\"/></svg>Stairway</p>\n",
                base = Escaped(self.base)
            ),
        );
        if self.databases.len() > 1 {
            html.push_str("<nav aria-label=\"Databases\"><ul>\n");
            for link in &self.databases {
                let headline =
                    Headline::of(&link.startup, link.status.as_ref().map_err(|why| &**why));
                let here = if link.name == self.database {
                    " aria-current=\"page\""
                } else {
                    ""
                };
                put(
                    html,
                    format_args!(
                        "<li><a href=\"{base}?database={query}\"{here}><b>{name}</b> \
                         <span class=\"chip {tone}\">{title}</span></a></li>\n",
                        base = Escaped(self.base),
                        query = words::query_value(link.name),
                        name = Escaped(link.name),
                        tone = headline.tone.class(),
                        title = Escaped(&headline.title),
                    ),
                );
            }
            html.push_str("</ul></nav>\n");
        }
        html.push_str("</header>\n");
    }

    fn main(&self, html: &mut String, headline: &Headline) {
        put(
            html,
            format_args!(
                "<main id=\"main\" tabindex=\"-1\" data-busy=\"{}\" data-database=\"{}\">\n",
                headline.tone == Tone::Busy,
                Escaped(self.database)
            ),
        );
        sections::hero(html, self, headline);
        if let Ok(status) = self.status {
            sections::facts(html, status);
            sections::attention(html, status);
        }
        sections::pending(html, self);
        sections::revisions(html, self);
        sections::audit_trail(html, self);
        html.push_str("</main>\n");
    }

    fn footer(&self, html: &mut String) {
        let base = Escaped(self.base);
        let query = if self.databases.len() > 1 {
            format!("?database={}", words::query_value(self.database))
        } else {
            String::new()
        };
        put(
            html,
            format_args!(
                "<footer>\n<p>Version {version} · read {read}</p>\n<ul>\n\
                 <li><a href=\"{base}health/migrations{query}\">Status as JSON</a></li>\n\
                 <li><a href=\"{base}health/migrations/history{query}\">Audit trail as JSON</a></li>\n\
                 <li><a href=\"{base}health/ready\">Readiness</a></li>\n\
                 <li><a href=\"{base}metrics\">Metrics</a></li>\n\
                 <li><a href=\"{base}openapi.json\">OpenAPI</a></li>\n\
                 </ul>\n</footer>\n\
                 <p id=\"announcement\" class=\"hidden\" role=\"status\"></p>\n\
                 <script>{SCRIPT}</script>\n</body>\n</html>\n",
                version = Escaped(self.version),
                read = words::moment(self.now),
            ),
        );
    }
}

/// Adds to the document. Writing to a String does not fail.
fn put(html: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = html.write_fmt(text);
}
