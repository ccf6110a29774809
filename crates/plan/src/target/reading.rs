//! Taking the words of a target apart.

use super::error::TargetError;

/// The parts of a target. The same words can be read in several ways when ids contain the signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading<'t> {
    /// What stands before `@`.
    pub(crate) branch: Option<&'t str>,
    /// The revision or symbol; absent when steps count from what is applied.
    pub(crate) anchor: Option<&'t str>,
    /// How far to go from there.
    pub(crate) steps: Option<Steps>,
}

/// How far to go, and which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Steps {
    Up(usize),
    Down(usize),
}

impl<'t> Reading<'t> {
    /// The first way to read the words in which `is_name` knows every name, if there is one.
    pub(crate) fn exact(text: &'t str, is_name: impl Fn(&str) -> bool) -> Option<Self> {
        Self::all(text).find(|reading| {
            reading.branch.is_none_or(&is_name) && reading.anchor.is_none_or(&is_name)
        })
    }

    /// What the words mean when names are not written out: the branch ends at the first `@`, and a
    /// number at the end counts steps.
    pub(crate) fn usual(text: &'t str) -> Self {
        let (branch, rest) = match text.split_once('@') {
            Some((branch, rest)) => (Some(branch), rest),
            None => (None, text),
        };
        Self::stepping(branch, rest).unwrap_or(Self {
            branch,
            anchor: Some(rest),
            steps: None,
        })
    }

    /// Refuses what no graph could give a meaning.
    pub(crate) fn check(self, text: &str) -> Result<Self, TargetError> {
        let reason = match self {
            Self {
                branch: Some(""), ..
            } => "there is no branch before `@`",
            Self {
                branch: Some("head" | "heads" | "base" | "current"),
                ..
            } => "what stands before `@` is no branch",
            Self {
                anchor: Some(""), ..
            } => "there is nothing after `@`",
            Self {
                steps: Some(Steps::Up(0) | Steps::Down(0)),
                ..
            } => "it goes no step",
            _ => return Ok(self),
        };
        Err(TargetError::Malformed {
            target: text.to_owned(),
            reason,
        })
    }

    /// The steps, if nothing says from where they count.
    pub(crate) fn steps_alone(&self) -> Option<Steps> {
        self.steps.filter(|_| self.anchor.is_none())
    }

    /// Whether the end of a name reads as a number of steps.
    pub(crate) fn has_steps(name: &'t str) -> bool {
        Self::stepping(None, name).is_some()
    }

    /// Every way to read the words, the most literal first.
    fn all(text: &'t str) -> impl Iterator<Item = Self> {
        let branched = text
            .match_indices('@')
            .map(move |(at, _)| (Some(&text[..at]), &text[at + 1..]));
        std::iter::once((None, text))
            .chain(branched)
            .flat_map(|(branch, rest)| {
                let literal = Self {
                    branch,
                    anchor: Some(rest),
                    steps: None,
                };
                std::iter::once(literal).chain(Self::stepping(branch, rest))
            })
    }

    fn stepping(branch: Option<&'t str>, rest: &'t str) -> Option<Self> {
        let sign = rest.rfind(['+', '-'])?;
        let digits = &rest[sign + 1..];
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        // A number too large to count is too far in any graph.
        let count = digits.parse().unwrap_or(usize::MAX);
        let anchor = &rest[..sign];
        Some(Self {
            branch,
            anchor: (!anchor.is_empty()).then_some(anchor),
            steps: Some(match rest.as_bytes()[sign] {
                b'+' => Steps::Up(count),
                _ => Steps::Down(count),
            }),
        })
    }
}
