//! Replays questions against the index of a site and against the index as it would be.
//!
//! Each question is asked alone, with the built-in embeddings and without a model server, as
//! `engine::replay` does. The work uses half of the machine's threads and yields between questions,
//! so that other requests are not disturbed.

use std::collections::HashMap;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use helpbot_db as db;
use helpbot_domain::Timestamp;
use helpbot_domain::change_preview::{
    ChangePreview, ContentVersion, EffectCounts, PreviewEffect, PreviewStatus, PreviewedAnswer, PreviewedQuestion,
};
use helpbot_domain::chunk::StoredChunk;
use helpbot_domain::ids::{PreviewId, SiteId};
use helpbot_domain::site::Site;
use helpbot_domain::source::SourceKind;
use helpbot_engine::replay::{self, Replayed};
use helpbot_engine::topics::same_question_key;
use helpbot_engine::{AnswerPolicy, Ask, Chunk, Index};

use super::STORED_MAX;
use super::changes;
use super::masking::masked;
use crate::knowledge::chunks::WRITTEN_ANSWERS;
use crate::knowledge::{answer_rules, chunks, indexes, promises};
use crate::runtime::batches;
use crate::{Error, Result, Services, blocking};

/// Number of questions that are read, newest first.
const QUESTIONS: i64 = 10_000;
/// Time between two records of the progress.
const PROGRESS_EVERY: Duration = Duration::from_millis(250);
/// Number of times that the content is read again because it changed meanwhile.
const READS_MAX: usize = 5;
/// Number of questions between two looks at other work.
const YIELD_AFTER: usize = 16;

/// A question, how often it was asked, and what visitors get now and would get.
struct ReplayedQuestion {
    asked: (String, i64),
    before: Replayed,
    after: Replayed,
}

/// An index with the settings by which it answers.
struct Answering {
    index: Arc<Index>,
    settings: AnswerPolicy,
}

/// Carries out a preview that runs. One that was canceled or deleted is left as it is.
///
/// # Errors
/// `NotFound` when the change is about something that is gone; errors of the database.
pub(super) async fn replay(services: &Services, site: SiteId, id: PreviewId) -> Result<()> {
    let found = db::change_previews::by_id(&mut services.db.reader().await?, site, id).await?;
    let Some(preview) = found.filter(|preview| preview.status == PreviewStatus::Running) else { return Ok(()) };
    let (site, content, now, then) = both(services, &preview).await?;
    let asked = questions(services, site.id).await?;
    let total = i64::try_from(asked.len()).unwrap_or(i64::MAX);
    let is_begun = services
        .db
        .write(move |c| {
            Box::pin(async move {
                Ok::<_, Error>(db::change_previews::begin(c, preview.site_id, id, &content, total).await?)
            })
        })
        .await?;
    if !is_begun {
        return Ok(());
    }
    let Some(replayed) = all(services, &site, id, asked, now, then).await? else { return Ok(()) };
    store(services, site.id, id, total, effects(replayed)).await
}

/// Ends a preview that cannot be carried out.
pub(super) async fn fail(services: &Services, site: SiteId, id: PreviewId) -> Result<()> {
    let (from, to) = (PreviewStatus::Running, PreviewStatus::Failed);
    let write = services.db.write(move |c| {
        Box::pin(async move { Ok::<_, Error>(db::change_previews::change_status(c, site, id, from, to).await?) })
    });
    write.await.map(drop)
}

/// The site with its content, how it answers now, and how it would answer.
async fn both(services: &Services, preview: &ChangePreview) -> Result<(Site, ContentVersion, Answering, Answering)> {
    let id = preview.site_id;
    for _ in 0..READS_MAX {
        let mut c = services.db.reader().await?;
        let site = db::sites::by_id(&mut c, id).await?.ok_or(Error::NotFound("Site"))?;
        let version = db::sites::index_version(&mut c, id).await?.ok_or(Error::NotFound("Site"))?;
        let own_source = db::sources::by_url(&mut c, id, SourceKind::Text, WRITTEN_ANSWERS).await?;
        drop(c);
        let index = indexes::current(services, &site).await?;
        let stored = chunks::stored(services, id).await?;
        let rules = answer_rules::all(services, id).await?;
        let mut c = services.db.reader().await?;
        let version_after = db::sites::index_version(&mut c, id).await?.ok_or(Error::NotFound("Site"))?;
        drop(c);
        if version_after != version {
            continue;
        }
        let settings = promises::policy(services, &site).await?;
        let now = Answering { index, settings: settings.clone() };
        let changed = changes::as_if_made(id, &preview.change, stored, settings, own_source, preview.created_at)?;
        let (stored, settings): (Vec<StoredChunk>, AnswerPolicy) = changed;
        let builder = services.indexes.builder.clone();
        let language = now.index.given_language().map(str::to_owned);
        let index = blocking(move || {
            let chunks: Vec<Chunk> = stored.into_iter().map(|stored| stored.chunk).collect();
            builder(chunks, language.as_deref()).with_rules(rules)
        });
        let then = Answering { index: Arc::new(index.await?), settings };
        let content = ContentVersion { index_version: version, answer_settings: site.answer_settings.clone() };
        return Ok((site, content, now, then));
    }
    Err(Error::Unavailable {
        cause: "the content of the site changes all the time".to_owned(),
        retry_after: Duration::from_secs(2),
    })
}

/// The last questions of visitors without small talk, each once, most asked first.
async fn questions(services: &Services, site: SiteId) -> Result<Vec<(String, i64)>> {
    let mut reader = services.db.reader().await?;
    let asked = db::topics::all(&mut reader, site, Timestamp::from_ms(0), QUESTIONS).await?;
    drop(reader);
    blocking(move || {
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut questions: Vec<(String, i64)> = Vec::new();
        for asked in asked {
            let key = same_question_key(&asked.question);
            let key = if key.is_empty() { asked.question.clone() } else { key };
            let place = *places.entry(key).or_insert(questions.len());
            match questions.get_mut(place) {
                Some((_, count)) => *count += 1,
                None => questions.push((asked.question, 1)),
            }
        }
        questions.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        questions
    })
    .await
}

/// Replays all questions. `None` when the preview no longer runs.
async fn all(
    services: &Services,
    site: &Site,
    id: PreviewId,
    asked: Vec<(String, i64)>,
    now: Answering,
    then: Answering,
) -> Result<Option<Vec<ReplayedQuestion>>> {
    let done = Arc::new(AtomicUsize::new(0));
    let is_canceled = Arc::new(AtomicBool::new(false));
    let language = site.widget.ai_language.clone();
    let mut work = tokio::task::spawn_blocking({
        let (done, is_canceled) = (done.clone(), is_canceled.clone());
        move || {
            on_threads(asked, |(question, count)| {
                let number = done.fetch_add(1, Ordering::Relaxed);
                if number.is_multiple_of(YIELD_AFTER) {
                    thread::yield_now();
                }
                if is_canceled.load(Ordering::Relaxed) {
                    return None;
                }
                let ask = |of: &Answering| Ask {
                    question: question.clone(),
                    language: None,
                    site_language: language.clone(),
                    history: Vec::new(),
                    settings: of.settings.clone(),
                };
                let before = replay::replay(&now.index, &ask(&now));
                let after = replay::replay(&then.index, &ask(&then));
                Some(ReplayedQuestion { asked: (question, count), before, after })
            })
        }
    });
    // The server may stop in between, and must not wait for the threads.
    let _canceled_when_dropped = CanceledWhenDropped(is_canceled.clone());
    let site = site.id;
    loop {
        match tokio::time::timeout(PROGRESS_EVERY, &mut work).await {
            Ok(replayed) => return replayed.map_err(Error::internal),
            Err(_still_working) => {
                let number = i64::try_from(done.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
                let runs = services.db.write(move |c| {
                    Box::pin(
                        async move { Ok::<_, Error>(db::change_previews::record_progress(c, site, id, number).await?) },
                    )
                });
                match runs.await {
                    Ok(true) => {}
                    stopped => {
                        is_canceled.store(true, Ordering::Relaxed);
                        stopped?;
                    }
                }
            }
        }
    }
}

/// Cancels the work on the threads when nobody waits for it.
struct CanceledWhenDropped(Arc<AtomicBool>);

impl Drop for CanceledWhenDropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Applies `work` to all items on half of the machine's threads, and returns the results in order.
/// `None` when it was `None` for one of them.
fn on_threads<T: Send, U: Send>(items: Vec<T>, work: impl Fn(T) -> Option<U> + Sync) -> Option<Vec<U>> {
    let threads = (thread::available_parallelism().map_or(1, NonZero::get) / 2).max(1);
    let share = items.len().div_ceil(threads).max(1);
    let mut items = items.into_iter();
    let shares: Vec<Vec<T>> = (0..threads).map(|_| items.by_ref().take(share).collect()).collect();
    let work = &work;
    thread::scope(|scope| {
        let running: Vec<_> = shares
            .into_iter()
            .map(|share| scope.spawn(move || share.into_iter().map(work).collect::<Option<Vec<U>>>()))
            .collect();
        let mut all = Vec::new();
        for thread in running {
            all.extend(thread.join().expect("a panic in a worker thread is passed on")?);
        }
        Some(all)
    })
}

/// The questions on which the change has an effect: lost, changed, then gained ones, most asked first.
fn effects(replayed: Vec<ReplayedQuestion>) -> Vec<PreviewedQuestion> {
    let effect = |replay: &ReplayedQuestion| match (replay.before.text_hash, replay.after.text_hash) {
        (None, Some(_)) => Some(PreviewEffect::Gained),
        (Some(_), None) => Some(PreviewEffect::Lost),
        _ if replay.before.is_same_answer(&replay.after) => None,
        _ => Some(PreviewEffect::Changed),
    };
    let mut found: Vec<(PreviewEffect, ReplayedQuestion)> =
        replayed.into_iter().filter_map(|replay| Some((effect(&replay)?, replay))).collect();
    let order = |effect: PreviewEffect| match effect {
        PreviewEffect::Lost => 0,
        PreviewEffect::Changed => 1,
        PreviewEffect::Gained => 2,
    };
    // Stable: the questions are sorted by how often they were asked.
    found.sort_by_key(|(effect, _)| order(*effect));
    let question = |(seq, (effect, replay)): (i64, (PreviewEffect, ReplayedQuestion))| PreviewedQuestion {
        seq,
        effect,
        question: masked(&replay.asked.0),
        count: replay.asked.1,
        before: shown(&replay.before),
        after: shown(&replay.after),
    };
    (1..).zip(found).map(question).collect()
}

fn shown(replayed: &Replayed) -> PreviewedAnswer {
    let best = replayed.best.as_deref();
    PreviewedAnswer {
        outcome: replayed.outcome,
        confidence: replayed.confidence,
        title: best.map(|chunk| chunk.title().to_owned()).filter(|title| !title.is_empty()),
        url: best.and_then(|chunk| chunk.url.clone()),
    }
}

/// Stores the result in batches, and then completes the preview.
async fn store(
    services: &Services,
    site: SiteId,
    id: PreviewId,
    done_questions: i64,
    found: Vec<PreviewedQuestion>,
) -> Result<()> {
    let count = |effect: PreviewEffect| {
        let of_effect = found.iter().filter(|question| question.effect == effect).count();
        i64::try_from(of_effect).unwrap_or(i64::MAX)
    };
    let counts = EffectCounts {
        gained: count(PreviewEffect::Gained),
        lost: count(PreviewEffect::Lost),
        changed: count(PreviewEffect::Changed),
    };
    let mut stored_of_effect = HashMap::new();
    let found: Vec<PreviewedQuestion> = found
        .into_iter()
        .filter(|question| {
            let stored = stored_of_effect.entry(question.effect).or_insert(0_i64);
            *stored += 1;
            *stored <= STORED_MAX
        })
        .collect();
    let size = usize::try_from(batches::ROWS).unwrap_or(1);
    let mut batches = found.chunks(size).map(<[PreviewedQuestion]>::to_vec).collect::<Vec<_>>().into_iter();
    batches::repeat("store a preview", || {
        let batch = batches.next().unwrap_or_default();
        services.db.write(move |c| {
            Box::pin(async move {
                db::change_previews::insert_questions(c, site, id, &batch).await?;
                Ok::<_, Error>(batch.len())
            })
        })
    })
    .await?;
    let complete = services.db.write(move |c| {
        Box::pin(
            async move { Ok::<_, Error>(db::change_previews::complete(c, site, id, done_questions, counts).await?) },
        )
    });
    complete.await.map(drop)
}
