//! Answers of the database that many requests share: kept for a moment, and asked for by one
//! question at a time.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::unavailable::{Reason, Unavailable};

/// An answer, or why there is none. Both are shared and both are kept.
pub(crate) type Answer<T> = Result<Arc<T>, Arc<Unavailable>>;

/// One question: its latest answer, and the asking that is under way.
pub(crate) struct Cached<T> {
    slot: Arc<Mutex<Slot<T>>>,
    keep: Duration,
    allowed: Duration,
}

struct Slot<T> {
    latest: Option<(Instant, Answer<T>)>,
    under_way: Option<watch::Receiver<Option<Answer<T>>>>,
}

impl<T> fmt::Debug for Cached<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cached")
            .field("keep", &self.keep)
            .field("allowed", &self.allowed)
            .finish_non_exhaustive()
    }
}

impl<T: Send + Sync + 'static> Cached<T> {
    /// Answers are used again for `keep`; asking may take `allowed`.
    pub(crate) fn new(keep: Duration, allowed: Duration) -> Self {
        let slot = Slot {
            latest: None,
            under_way: None,
        };
        Self {
            slot: Arc::new(Mutex::new(slot)),
            keep,
            allowed,
        }
    }

    /// The latest answer, if it is still good.
    pub(crate) fn fresh(&self) -> Option<Answer<T>> {
        lock(&self.slot).fresh(self.keep)
    }

    /// Whether somebody is asking.
    pub(crate) fn is_under_way(&self) -> bool {
        lock(&self.slot).under_way.is_some()
    }

    /// The latest answer while it is good; else that of the asking under way; else asks.
    ///
    /// The asking goes on by itself if the request that began it goes away, and is given up, with
    /// its connection, after the time allowed.
    pub(crate) async fn get<F>(&self, ask: F) -> Answer<T>
    where
        F: FnOnce() -> BoxFuture<'static, Result<T, Unavailable>>,
    {
        let mut answer = {
            let mut slot = lock(&self.slot);
            if let Some(answer) = slot.fresh(self.keep) {
                return answer;
            }
            if let Some(answer) = &slot.under_way {
                answer.clone()
            } else {
                let (sender, receiver) = watch::channel(None);
                slot.under_way = Some(receiver.clone());
                let landing = Landing {
                    slot: Arc::clone(&self.slot),
                    sender,
                    answer: None,
                };
                tokio::spawn(landing.fly(ask(), self.allowed));
                receiver
            }
        };
        let answer = answer.wait_for(Option::is_some).await;
        answer
            .ok()
            .and_then(|answer| answer.clone())
            .unwrap_or_else(|| Err(Arc::new(Unavailable::internal())))
    }
}

impl<T> Slot<T> {
    fn fresh(&self, keep: Duration) -> Option<Answer<T>> {
        let (at, answer) = self.latest.as_ref()?;
        (at.elapsed() < keep).then(|| answer.clone())
    }
}

/// An asking that is under way. However it ends, a panic included, those who wait are told and the
/// next one can ask.
struct Landing<T> {
    slot: Arc<Mutex<Slot<T>>>,
    sender: watch::Sender<Option<Answer<T>>>,
    answer: Option<Answer<T>>,
}

impl<T> Landing<T> {
    async fn fly(mut self, asking: BoxFuture<'static, Result<T, Unavailable>>, allowed: Duration) {
        let answer = match timeout(allowed, asking).await {
            Ok(Ok(answer)) => Ok(Arc::new(answer)),
            Ok(Err(unavailable)) => Err(Arc::new(unavailable)),
            Err(_) => Err(Arc::new(Unavailable::timeout(allowed))),
        };
        self.answer = Some(answer);
    }
}

impl<T> Drop for Landing<T> {
    fn drop(&mut self) {
        let answer = self
            .answer
            .take()
            .unwrap_or_else(|| Err(Arc::new(Unavailable::internal())));
        {
            let mut slot = lock(&self.slot);
            // That no turn was to be had is not the database's answer.
            let is_answer = answer
                .as_ref()
                .err()
                .is_none_or(|why| why.reason != Reason::Busy);
            slot.latest = is_answer.then(|| (Instant::now(), answer.clone()));
            slot.under_way = None;
        }
        self.sender.send_replace(Some(answer));
    }
}

/// Several questions of one kind, told apart by a key.
#[derive(Debug)]
pub(crate) struct CachedByKey<K, T> {
    questions: Mutex<HashMap<K, Arc<Cached<T>>>>,
    most: usize,
    keep: Duration,
    allowed: Duration,
}

impl<K: Eq + Hash + Clone, T: Send + Sync + 'static> CachedByKey<K, T> {
    /// Keeps at most `most` questions.
    pub(crate) fn new(most: usize, keep: Duration, allowed: Duration) -> Self {
        Self {
            questions: Mutex::new(HashMap::new()),
            most,
            keep,
            allowed,
        }
    }

    /// As [`Cached::get`]; busy if too many different questions are being asked.
    pub(crate) async fn get<F>(&self, key: K, ask: F) -> Answer<T>
    where
        F: FnOnce() -> BoxFuture<'static, Result<T, Unavailable>>,
    {
        let question = {
            let mut questions = lock(&self.questions);
            if !questions.contains_key(&key) && questions.len() >= self.most {
                questions
                    .retain(|_, question| question.is_under_way() || question.fresh().is_some());
            }
            if !questions.contains_key(&key) && questions.len() >= self.most {
                return Err(Arc::new(Unavailable::busy()));
            }
            let new = || Arc::new(Cached::new(self.keep, self.allowed));
            Arc::clone(questions.entry(key).or_insert_with(new))
        };
        question.get(ask).await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    //! However many clients ask, and however the database behaves, there is one question at a time.

    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::FutureExt;
    use futures_util::future::join_all;
    use tokio::sync::Notify;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_thousand_clients_make_one_question() {
        let asked = Arc::new(AtomicUsize::new(0));
        let cached = Arc::new(Cached::new(SECOND, SECOND * 3));
        let ask = || {
            let asked = Arc::clone(&asked);
            async move {
                tokio::time::sleep(SECOND).await;
                Ok(asked.fetch_add(1, Ordering::SeqCst))
            }
            .boxed()
        };
        let answers = join_all((0..1000).map(|_| cached.get(ask))).await;
        assert!(
            answers
                .iter()
                .all(|answer| answer.as_ref().is_ok_and(|answer| **answer == 0))
        );
        assert_eq!(asked.load(Ordering::SeqCst), 1);

        assert_eq!(
            cached.get(ask).await.as_deref(),
            Ok(&0),
            "kept for a second"
        );
        tokio::time::advance(SECOND * 2).await;
        assert_eq!(cached.get(ask).await.as_deref(), Ok(&1), "and no longer");
    }

    #[tokio::test(start_paused = true)]
    async fn a_database_that_never_answers_is_given_up_and_asked_again_later() {
        let dropped = Arc::new(AtomicUsize::new(0));
        let cached: Cached<()> = Cached::new(SECOND, SECOND * 3);
        let hang = || {
            let dropped = Arc::clone(&dropped);
            async move {
                let _connection = OnDrop(dropped);
                std::future::pending().await
            }
            .boxed()
        };
        let answers = join_all((0..1000).map(|_| cached.get(hang))).await;
        let timeout = Arc::new(Unavailable::timeout(SECOND * 3));
        assert!(
            answers
                .iter()
                .all(|answer| answer.as_ref() == Err(&timeout))
        );
        assert_eq!(
            dropped.load(Ordering::SeqCst),
            1,
            "one connection, and it is closed"
        );

        assert!(cached.fresh().is_some(), "the failure is kept as well");
        tokio::time::advance(SECOND * 2).await;
        assert!(cached.get(|| async { Ok(()) }.boxed()).await.is_ok());
    }

    struct OnDrop(Arc<AtomicUsize>);
    impl Drop for OnDrop {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_question_goes_on_when_the_client_that_asked_goes_away() {
        let cached = Arc::new(Cached::new(SECOND, SECOND * 3));
        let answer_now = Arc::new(Notify::new());
        let ask = {
            let answer_now = Arc::clone(&answer_now);
            || {
                async move {
                    answer_now.notified().await;
                    Ok(7)
                }
                .boxed()
            }
        };
        let impatient = timeout(SECOND, cached.get(ask)).await;
        assert!(impatient.is_err());
        answer_now.notify_one();
        let answer = cached.get(|| async { Ok(8) }.boxed()).await;
        assert_eq!(answer.as_deref(), Ok(&7));
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_while_asking_reaches_those_who_wait_and_the_next_can_ask() {
        let cached: Cached<u8> = Cached::new(SECOND, SECOND * 3);
        let answer = cached.get(|| async { panic!("a bug") }.boxed()).await;
        assert_eq!(answer, Err(Arc::new(Unavailable::internal())));
        tokio::time::advance(SECOND * 2).await;
        assert_eq!(
            cached.get(|| async { Ok(1) }.boxed()).await.as_deref(),
            Ok(&1)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn different_questions_are_bounded_and_old_ones_make_room() {
        let cached = CachedByKey::new(2, SECOND, SECOND * 3);
        for key in [1, 2] {
            assert!(cached.get(key, || async { Ok(()) }.boxed()).await.is_ok());
        }
        let third = cached.get(3, || async { Ok(()) }.boxed()).await;
        assert_eq!(third, Err(Arc::new(Unavailable::busy())));
        tokio::time::advance(SECOND * 2).await;
        assert!(cached.get(3, || async { Ok(()) }.boxed()).await.is_ok());
    }
}
