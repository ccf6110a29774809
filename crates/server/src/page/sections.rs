//! The sections of the page.

use std::collections::HashSet;

use stairway_plan::report::{AuditEntry, StatusReport};
use stairway_plan::revision::RevisionId;

use super::escape::{Escaped, Id};
use super::graph::{DrawnRow, Item, gap_lines};
use super::headline::{Headline, Tone};
use super::words::{Count, ago, duration, moment, query_value};
use super::{StatusPage, put};
use crate::redact::without_credentials;
use crate::source::PendingStep;

/// How much SQL is shown: of one statement, and of all together, in bytes.
const LONGEST_STATEMENT: usize = 8 * 1024;
const MOST_SQL: usize = 256 * 1024;

/// How many pending revisions are listed with their SQL.
const MOST_PENDING: usize = 50;

pub(super) fn hero(html: &mut String, page: &StatusPage<'_>, headline: &Headline) {
    let place = page.status.map_or_else(
        |_| page.database.to_owned(),
        |status| format!("{} · {}", page.database, status.location),
    );
    put(
        html,
        format_args!(
            "<section class=\"hero {tone}\" aria-labelledby=\"state\">\n\
             <svg class=\"sign\" viewBox=\"0 0 24 24\" width=\"44\" height=\"44\" aria-hidden=\"true\" \
             focusable=\"false\"><path d=\"{sign}\"/></svg>\n<div>\n\
             <p class=\"where\">{place}</p>\n<h1 id=\"state\">{title}</h1>\n<p class=\"lead\" id=\"lead\">{sentence}</p>\n",
            tone = headline.tone.class(),
            sign = headline.tone.sign(),
            place = Escaped(&place),
            title = Escaped(&headline.title),
            sentence = Escaped(&headline.sentence),
        ),
    );
    if headline.tone == Tone::Busy {
        running_step(html, page);
    }
    if let Some(error) = &headline.error {
        put(
            html,
            format_args!(
                "<div class=\"error\"><h2>Error</h2><pre tabindex=\"0\">{}</pre></div>\n",
                Escaped(&without_credentials(error))
            ),
        );
    }
    if headline.next.is_some() || headline.command.is_some() {
        html.push_str("<p class=\"next\"><b>Next:</b> ");
        if let Some(next) = &headline.next {
            put(html, format_args!("{} ", Escaped(next)));
        }
        if let Some(command) = headline.command {
            put(html, format_args!("<code>{}</code>", Escaped(command)));
        }
        html.push_str("</p>\n");
    }
    html.push_str("</div>\n</section>\n");
}

/// The step that runs, with a bar that the script moves on.
fn running_step(html: &mut String, page: &StatusPage<'_>) {
    let startup = &page.startup;
    let Some(progress) = startup.progress else {
        return;
    };
    let revision = startup
        .revision
        .as_ref()
        .map(RevisionId::as_str)
        .unwrap_or_default();
    put(
        html,
        format_args!(
            "<div class=\"step\">\n<progress id=\"progress\" max=\"{total}\" value=\"{done}\" \
             aria-labelledby=\"progress-text\">{percent} %</progress>\n\
             <p id=\"progress-text\">{done} of {steps} done, {statements} of this step</p>\n\
             <p class=\"running\"><code id=\"running-revision\">{revision}</code> \
             <span id=\"running-message\">{message}</span></p>\n</div>\n",
            total = progress.total.max(1),
            done = progress.done,
            percent = progress.percent,
            steps = Count(progress.total, "step"),
            statements = Count(progress.statements_done, "statement"),
            revision = Id(revision),
            message = Escaped(startup.message.as_deref().unwrap_or_default()),
        ),
    );
}

pub(super) fn facts(html: &mut String, status: &StatusReport) {
    html.push_str("<dl class=\"facts\">\n");
    let revisions = |list: &[RevisionId]| {
        if list.is_empty() {
            return "<span class=\"none\">none</span>".to_owned();
        }
        let codes: Vec<String> = list
            .iter()
            .map(|id| format!("<code>{}</code>", Id(id.as_str())))
            .collect();
        codes.join(" ")
    };
    for (name, value, wide) in [
        ("Current", revisions(&status.current_revisions), true),
        ("Head", revisions(&status.head_revisions), true),
        ("Applied", status.applied_count.to_string(), false),
        ("Pending", status.pending_count.to_string(), false),
    ] {
        let class = if wide { "wide" } else { "number" };
        put(
            html,
            format_args!("<div class=\"{class}\"><dt>{name}</dt><dd>{value}</dd></div>\n"),
        );
    }
    html.push_str("</dl>\n");
}

/// What is out of order: each kind with its revisions.
pub(super) fn attention(html: &mut String, status: &StatusReport) {
    let lists = [
        (
            "Not known to this build",
            "Applied by a newer or another version of the application.",
            &status.unknown_revisions,
        ),
        (
            "Edited after they were applied",
            "The SQL in this build is not what was run.",
            &status.edited_revisions,
        ),
        (
            "Pending below applied ones",
            "Merged late; they are applied all the same.",
            &status.out_of_order_revisions,
        ),
    ];
    for (title, explanation, list) in lists {
        if list.is_empty() {
            continue;
        }
        put(
            html,
            format_args!(
                "<section class=\"card attention\"><h2>{title}</h2><p>{explanation}</p><ul>\n"
            ),
        );
        for id in list {
            put(
                html,
                format_args!("<li><code>{}</code></li>\n", Id(id.as_str())),
            );
        }
        html.push_str("</ul></section>\n");
    }
    if status.interrupted.is_empty() {
        return;
    }
    html.push_str("<section class=\"card attention\"><h2>Began and did not finish</h2><ul>\n");
    for step in &status.interrupted {
        put(
            html,
            format_args!(
                "<li><code>{}</code>: {} after {}",
                Id(step.revision.as_str()),
                Escaped(step.direction.as_str()),
                Count(step.statements_done, "statement")
            ),
        );
        if let Some(started_at) = step.started_at {
            put(html, format_args!(", begun {}", moment(started_at)));
        }
        if let Some(statement) = &step.in_doubt {
            put(
                html,
                format_args!(
                    "; in doubt is <pre tabindex=\"0\">{}</pre>",
                    Escaped(&shortened(statement))
                ),
            );
        }
        html.push_str("</li>\n");
    }
    html.push_str("</ul></section>\n");
}

pub(super) fn pending(html: &mut String, page: &StatusPage<'_>) {
    let Some(preview) = page.preview else { return };
    html.push_str(
        "<section class=\"card\" aria-labelledby=\"pending\">\n<h2 id=\"pending\">Pending</h2>\n",
    );
    let steps = match preview {
        Ok(steps) => steps,
        Err(why) => {
            put(
                html,
                format_args!(
                    "<p>The SQL can't be shown: {}.</p>\n</section>\n",
                    Escaped(&why.detail)
                ),
            );
            return;
        }
    };
    match steps.len() {
        1 => html.push_str("<p>An upgrade would run this revision.</p>\n"),
        count => put(
            html,
            format_args!("<p>An upgrade would run {count} revisions, in this order.</p>\n"),
        ),
    }
    let mut left = MOST_SQL;
    for (nth, step) in steps.iter().take(MOST_PENDING).enumerate() {
        let open = if nth == 0 { " open" } else { "" };
        put(
            html,
            format_args!(
                "<details id=\"sql-{id}\"{open}><summary><code>{revision}</code> <span class=\"message\">{message}</span> \
                 <span class=\"chip plain\">{statements}</span></summary>\n",
                id = query_value(step.revision.as_str()),
                revision = Id(step.revision.as_str()),
                message = Escaped(&step.message),
                statements = Count(step.sql.len(), "statement"),
            ),
        );
        if !step.transactional {
            html.push_str(
                "<p class=\"remark\">Not in one transaction: each statement is journalled.</p>\n",
            );
        }
        sql_of(html, step, &mut left);
        html.push_str("</details>\n");
    }
    if steps.len() > MOST_PENDING {
        put(
            html,
            format_args!(
                "<p>And {} more; <code>stairway upgrade --dry-run</code> shows all.</p>\n",
                steps.len() - MOST_PENDING
            ),
        );
    }
    html.push_str("</section>\n");
}

fn sql_of(html: &mut String, step: &PendingStep, left: &mut usize) {
    if !step.sql.is_empty() {
        put(
            html,
            format_args!(
                "<pre class=\"sql\" tabindex=\"0\" role=\"region\" aria-label=\"SQL of {}\"><code>",
                Escaped(step.revision.as_str())
            ),
        );
        for statement in &step.sql {
            let statement = shortened(statement);
            if statement.len() > *left {
                html.push_str("-- and more than is shown here\n");
                break;
            }
            *left -= statement.len();
            put(
                html,
                format_args!("{};\n", Escaped(statement.trim_end().trim_end_matches(';'))),
            );
        }
        html.push_str("</code></pre>\n");
    }
    if let Some(why) = &step.incomplete {
        put(
            html,
            format_args!(
                "<p class=\"remark\">This is not all of its SQL: {}.</p>\n",
                Escaped(why.trim_end_matches('.'))
            ),
        );
    } else if step.sql.is_empty() {
        html.push_str("<p class=\"remark\">It runs no SQL.</p>\n");
    }
}

/// A statement, cut off where it gets too long to be read.
fn shortened(statement: &str) -> String {
    if statement.len() <= LONGEST_STATEMENT {
        return statement.to_owned();
    }
    let end = statement.floor_char_boundary(LONGEST_STATEMENT);
    format!("{} … ({} bytes in all)", &statement[..end], statement.len())
}

pub(super) fn revisions(html: &mut String, page: &StatusPage<'_>) {
    let marks = Marks::of(page);
    let drawing = page.drawing;
    put(
        html,
        format_args!(
            "<section class=\"card\" aria-labelledby=\"revisions\">\n<h2 id=\"revisions\">Revisions</h2>\n\
             <p>{}, newest first.</p>\n",
            Count(drawing.len(), "revision")
        ),
    );
    if drawing.len() > 0 {
        html.push_str("<ol class=\"graph\">\n");
        for item in drawing.items(|id| marks.is_of_interest(id)) {
            match item {
                Item::Row(row) => revision_row(html, row, &marks, drawing.width()),
                Item::Gap { count, through } => put(
                    html,
                    format_args!(
                        "<li class=\"gap\">{}<div class=\"what\">{}</div></li>\n",
                        rail(drawing.width(), &gap_lines(through), None),
                        Count(count, "more revision")
                    ),
                ),
            }
        }
        html.push_str("</ol>\n");
    }
    html.push_str("</section>\n");
}

/// What is known of each revision.
struct Marks<'a> {
    known: bool,
    pending: HashSet<&'a RevisionId>,
    current: HashSet<&'a RevisionId>,
    edited: HashSet<&'a RevisionId>,
    interrupted: HashSet<&'a RevisionId>,
    running: Option<&'a RevisionId>,
}

impl<'a> Marks<'a> {
    fn of(page: &'a StatusPage<'_>) -> Self {
        let status = page.status.ok();
        let list = |of: fn(&StatusReport) -> &Vec<RevisionId>| -> HashSet<&'a RevisionId> {
            status.into_iter().flat_map(of).collect()
        };
        Self {
            known: status.is_some(),
            pending: list(|status| &status.pending_migrations),
            current: list(|status| &status.current_revisions),
            edited: list(|status| &status.edited_revisions),
            interrupted: status
                .into_iter()
                .flat_map(|status| &status.interrupted)
                .map(|step| &step.revision)
                .collect(),
            running: page
                .startup
                .is_running()
                .then_some(page.startup.revision.as_ref())
                .flatten(),
        }
    }

    fn is_of_interest(&self, id: &RevisionId) -> bool {
        self.running == Some(id)
            || self.current.contains(id)
            || self.interrupted.contains(id)
            || self.edited.contains(id)
    }

    /// The class and the word for how a revision is.
    fn standing(&self, id: &RevisionId) -> (&'static str, &'static str) {
        if self.running == Some(id) {
            ("running", "running")
        } else if self.interrupted.contains(id) {
            ("trouble", "interrupted")
        } else if self.edited.contains(id) {
            ("trouble", "applied, then edited")
        } else if !self.known {
            ("unknown", "")
        } else if self.pending.contains(id) {
            ("pending", "pending")
        } else {
            ("applied", "applied")
        }
    }
}

fn revision_row(html: &mut String, row: &DrawnRow, marks: &Marks<'_>, width: usize) {
    let revision = &row.revision;
    let (class, word) = marks.standing(&revision.id);
    put(
        html,
        format_args!(
            "<li class=\"{class}\">{rail}<div class=\"what\"><code>{id}</code>",
            rail = rail(width, &row.lines, Some(row.x)),
            id = Id(revision.id.as_str()),
        ),
    );
    // A message that only repeats the id's words says nothing.
    let words = revision.message.to_lowercase().replace(' ', "_");
    if !revision.id.as_str().ends_with(&words) {
        put(
            html,
            format_args!(
                " <span class=\"message\">{}</span>",
                Escaped(&revision.message)
            ),
        );
    }
    html.push_str(" <span class=\"marks\">");
    if !word.is_empty() {
        put(
            html,
            format_args!("<span class=\"chip {class}\">{word}</span>"),
        );
    }
    if marks.current.contains(&revision.id) {
        html.push_str(" <span class=\"chip current\">current</span>");
    }
    if row.is_head {
        html.push_str(" <span class=\"chip plain\">head</span>");
    }
    for label in &revision.branch_labels {
        put(
            html,
            format_args!(
                " <span class=\"chip plain\">branch {}</span>",
                Escaped(label)
            ),
        );
    }
    html.push_str("</span>");
    if !revision.depends_on.is_empty() {
        let ids: Vec<String> = revision
            .depends_on
            .iter()
            .map(|id| format!("<code>{}</code>", Id(id.as_str())))
            .collect();
        put(
            html,
            format_args!(
                " <span class=\"remark\">depends on {}</span>",
                ids.join(", ")
            ),
        );
    }
    html.push_str("</div></li>\n");
}

/// The part of the drawing that belongs to one row.
fn rail(width: usize, lines: &str, node: Option<usize>) -> String {
    let node = node.map(|x| format!("<circle cx=\"{x}\" cy=\"9\" r=\"5.5\"/>"));
    format!(
        "<span class=\"rail\" aria-hidden=\"true\"><svg class=\"lines\" width=\"{width}\" viewBox=\"0 0 {width} 100\" \
         preserveAspectRatio=\"none\"><path d=\"{lines}\"/></svg><svg class=\"node\" width=\"{width}\" height=\"18\" \
         viewBox=\"0 0 {width} 18\">{}</svg></span>",
        node.unwrap_or_default()
    )
}

pub(super) fn audit_trail(html: &mut String, page: &StatusPage<'_>) {
    html.push_str(
        "<section class=\"card\" aria-labelledby=\"log\">\n<h2 id=\"log\">Audit trail</h2>\n",
    );
    match page.audit {
        Err(why) => put(
            html,
            format_args!("<p>It can't be read: {}.</p>\n", Escaped(&why.detail)),
        ),
        Ok([]) => html.push_str("<p>Nothing is recorded yet.</p>\n"),
        Ok(entries) => {
            html.push_str("<ol class=\"log\">\n");
            for entry in entries {
                audit_entry(html, entry, page);
            }
            html.push_str("</ol>\n");
        }
    }
    html.push_str("</section>\n");
}

fn audit_entry(html: &mut String, entry: &AuditEntry, page: &StatusPage<'_>) {
    let class = match entry.outcome.as_str() {
        "succeeded" => "good",
        "failed" => "bad",
        _ => "waiting",
    };
    put(
        html,
        format_args!(
            "<li><p class=\"entry\"><span class=\"chip {class}\">{action} {outcome}</span> <code>{revision}</code></p>\n\
             <p class=\"remark\">",
            action = Escaped(&entry.action),
            outcome = Escaped(&entry.outcome),
            revision = Id(entry.revision.as_str()),
        ),
    );
    if let Some(at) = entry.started_at {
        put(
            html,
            format_args!("{} ({}) · ", moment(at), ago(at, page.now)),
        );
    }
    put(
        html,
        format_args!(
            "took {} · by {} on {}",
            duration(u64::try_from(entry.duration_ms).unwrap_or_default()),
            Escaped(&entry.actor),
            Escaped(&entry.host)
        ),
    );
    if let Some(version) = &entry.application_version {
        put(html, format_args!(" · version {}", Escaped(version)));
    }
    let rows = entry
        .rows_affected
        .and_then(|rows| u64::try_from(rows).ok());
    if let Some(rows @ 1..) = rows {
        put(html, format_args!(" · {} changed", Count(rows, "row")));
    }
    html.push_str("</p>\n");
    if let Some(detail) = &entry.detail {
        put(
            html,
            format_args!(
                "<p class=\"remark\">{}</p>\n",
                Escaped(&without_credentials(detail))
            ),
        );
    }
    if let Some(error) = &entry.error {
        put(
            html,
            format_args!(
                "<pre tabindex=\"0\">{}</pre>\n",
                Escaped(&shortened(&without_credentials(error)))
            ),
        );
    }
    html.push_str("</li>\n");
}
