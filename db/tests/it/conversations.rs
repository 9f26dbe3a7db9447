//! Tests of conversations and of every way to find them.

use helpbot_db::conversations::{PageOfList, Window};
use helpbot_db::{Db, Error, conversations};
use helpbot_domain::conversation::{Citation, Conversation, HandoffStatus, Outcome, Vote};
use helpbot_domain::conversation_order::ConversationOrder;
use helpbot_domain::conversation_parts::ConversationParts;
use helpbot_domain::conversation_query::{ConversationFilter, ConversationQuery};
use helpbot_domain::ids::{ChunkId, MemberId, SiteId, SourceId};

use crate::make::{self, NOW, later};

on_both_backends!(
    a_conversation_is_read_as_it_was_written,
    an_update_changes_only_what_may_change,
    each_filter_returns_its_conversations,
    all_conditions_of_a_list_must_hold,
    groups_count_each_combination_of_values_once,
    the_inbox_lists_those_who_wait_longest_first,
    each_order_can_be_paged_by_cursor_and_by_offset,
    a_list_reads_only_the_parts_that_are_asked_for,
    a_search_ignores_case,
    wildcards_in_a_search_are_literal,
    the_last_conversations_of_a_session_are_returned_oldest_first,
    a_conversation_of_another_site_is_not_found,
    a_taken_id_is_a_conflict,
);

const START: Window = Window::Offset(0);

async fn listed(db: &Db, site: SiteId, query: &ConversationQuery) -> Vec<String> {
    let found =
        read!(db, |c| conversations::list(c, site, query, make::whole(ConversationOrder::CreatedAsc, START, 100)));
    let count = read!(db, |c| conversations::count(c, site, query));
    assert_eq!(usize::try_from(count), Ok(found.len()), "list and count agree on {query:?}");
    found.into_iter().map(|conversation| conversation.question).collect()
}

async fn a_conversation_is_read_as_it_was_written(db: &Db) {
    let site = make::stored_site(db).await;
    let citation = Citation {
        source_id: SourceId::from_uuid(make::uuid()),
        chunk_id: ChunkId::from_uuid(make::uuid()),
        url: None,
        source_name: Some("hours.pdf".into()),
        title: "Öffnungszeiten".into(),
        quote: "Open \"daily\"\nfrom 6".into(),
        score: 0.875,
        text_fragment: None,
    };
    let conversation = Conversation {
        citations: vec![citation.clone(), Citation { url: Some("https://example.com/".into()), ..citation }],
        outcome: Outcome::Suggested,
        confidence: 0.123_456_789_012_345_67,
        language: None,
        ..make::conversation(site, "Wann? 🥐")
    };

    make::stored(db, conversation.clone()).await;

    assert_eq!(read!(db, |c| conversations::by_id(c, site, conversation.id)), Some(conversation.clone()));
    let id = conversation.id;
    assert_eq!(commit!(db, |c| conversations::by_id_locked(c, site, id)), Some(conversation));
}

async fn an_update_changes_only_what_may_change(db: &Db) {
    let site = make::stored_site(db).await;
    let member = make::stored_member(db, site).await.id;
    let conversation = make::stored(db, make::conversation(site, "a")).await;
    let changed = Conversation {
        vote: Some(Vote::No),
        handoff: Some(HandoffStatus::Assigned),
        handoff_at: Some(later(1)),
        customer_email: Some("visitor@example.com".into()),
        assignee_id: Some(member),
        message_count: 5,
        updated_at: later(2),
        ..conversation.clone()
    };

    let new = Conversation { question: "not written".into(), created_at: later(9), ..changed.clone() };
    let absent = make::conversation(site, "absent");
    assert!(commit!(db, |c| conversations::update(c, &new)));
    assert!(!commit!(db, |c| conversations::update(c, &absent)));

    assert_eq!(read!(db, |c| conversations::by_id(c, site, conversation.id)), Some(changed));
}

async fn stored_and_updated(db: &Db, conversation: Conversation) {
    let new = make::stored(db, conversation).await;
    commit!(db, |c| conversations::update(c, &new));
}

async fn each_filter_returns_its_conversations(db: &Db) {
    let site = make::stored_site(db).await;
    let plain = |question| make::conversation(site, question);
    stored_and_updated(db, plain("answered")).await;
    stored_and_updated(db, Conversation { outcome: Outcome::Declined, ..plain("declined") }).await;
    stored_and_updated(db, Conversation { outcome: Outcome::Suggested, ..plain("suggested") }).await;
    stored_and_updated(db, Conversation { outcome: Outcome::SmallTalk, ..plain("hello") }).await;
    stored_and_updated(db, Conversation { vote: Some(Vote::Yes), ..plain("good") }).await;
    stored_and_updated(db, Conversation { vote: Some(Vote::No), ..plain("bad") }).await;
    stored_and_updated(db, Conversation { handoff: Some(HandoffStatus::Resolved), ..plain("handed") }).await;

    for (filter, expected) in [
        (ConversationFilter::All, &["answered", "declined", "suggested", "hello", "good", "bad", "handed"][..]),
        (ConversationFilter::Unanswered, &["declined", "suggested"]),
        (ConversationFilter::Answered, &["answered", "hello", "good", "bad", "handed"]),
        (ConversationFilter::Handoff, &["handed"]),
        (ConversationFilter::Helpful, &["good"]),
        (ConversationFilter::Unhelpful, &["bad"]),
    ] {
        assert_eq!(
            listed(db, site, &ConversationQuery { filter, ..ConversationQuery::default() }).await,
            expected,
            "{filter:?}"
        );
    }
}

async fn all_conditions_of_a_list_must_hold(db: &Db) {
    let site = make::stored_site(db).await;
    for (n, session) in [(0, "mine"), (1, "mine"), (2, "other"), (3, "mine")] {
        let at = later(n);
        let outcome = if n == 1 { Outcome::Answered } else { Outcome::Declined };
        let question = format!("cake {n}");
        let session_id = session.to_owned();
        make::stored(db, Conversation { session_id, outcome, created_at: at, ..make::conversation(site, &question) })
            .await;
    }
    let mine = ConversationQuery { session_id: Some("mine".into()), ..ConversationQuery::default() };

    assert_eq!(listed(db, site, &mine).await, ["cake 0", "cake 1", "cake 3"]);
    let since = ConversationQuery { since: Some(later(1)), ..mine };
    assert_eq!(listed(db, site, &since).await, ["cake 1", "cake 3"]);
    let unanswered = ConversationQuery { filter: ConversationFilter::Unanswered, ..since };
    assert_eq!(listed(db, site, &unanswered).await, ["cake 3"]);
    let words = ConversationQuery { search: Some("cake 0".into()), ..unanswered };
    assert_eq!(listed(db, site, &words).await, [""; 0]);
}

async fn groups_count_each_combination_of_values_once(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let plain = || make::conversation(site, "Hi?");
    let german = || Conversation { language: Some("de".into()), vote: Some(Vote::Yes), ..plain() };
    for new in [plain(), plain(), make::conversation(other, "Hi?")] {
        make::stored(db, new).await;
    }
    stored_and_updated(db, german()).await;
    stored_and_updated(db, Conversation { handoff: Some(HandoffStatus::Requested), ..german() }).await;
    let counts = async |query: ConversationQuery| {
        let groups = read!(db, |c| conversations::groups(c, site, &query));
        let mut counts: Vec<_> =
            groups.into_iter().map(|group| (group.language, group.vote, group.handoff, group.count)).collect();
        counts.sort_by_key(|(language, _, handoff, _)| (language.clone(), handoff.is_some()));
        counts
    };

    let all = counts(ConversationQuery::default()).await;
    let helpful = counts(ConversationQuery { votes: Some(vec![Vote::Yes]), ..ConversationQuery::default() }).await;

    let german = || Some("de".to_owned());
    let voted = [(german(), Some(Vote::Yes), None, 1), (german(), Some(Vote::Yes), Some(HandoffStatus::Requested), 1)];
    assert_eq!(all, [&voted[..], &[(Some("en".to_owned()), None, None, 2)]].concat());
    assert_eq!(helpful, voted);
}

async fn the_inbox_lists_those_who_wait_longest_first(db: &Db) {
    let site = make::stored_site(db).await;
    let member = make::stored_member(db, site).await.id;
    for (question, handoff, at, assignee_id) in [
        ("late", Some(HandoffStatus::Requested), 9, None),
        ("early", Some(HandoffStatus::Requested), 1, None),
        ("taken", Some(HandoffStatus::Assigned), 2, Some(member)),
        ("closed", Some(HandoffStatus::Resolved), 3, Some(member)),
        ("never", None, 0, None),
    ] {
        let handoff_at = handoff.map(|_| later(at));
        stored_and_updated(db, Conversation { handoff, handoff_at, assignee_id, ..make::conversation(site, question) })
            .await;
    }
    let list = async |handoffs: Option<Vec<HandoffStatus>>, assignee| {
        let query = ConversationQuery { handoffs, assignee, ..ConversationQuery::default() };
        let found =
            read!(db, |c| conversations::list(c, site, &query, make::whole(ConversationOrder::HandoffAsc, START, 100)));
        found.into_iter().map(|conversation| conversation.question).collect::<Vec<_>>()
    };

    assert_eq!(list(Some(vec![HandoffStatus::Requested]), None).await, ["early", "late"]);
    assert_eq!(list(Some(vec![HandoffStatus::Assigned]), Some(member)).await, ["taken"]);
    assert_eq!(list(None, Some(member)).await, ["taken", "closed"]);
    assert_eq!(list(None, None).await, ["early", "taken", "closed", "late"]);
    assert_eq!(list(Some(Vec::new()), None).await, [""; 0]);
}

async fn each_order_can_be_paged_by_cursor_and_by_offset(db: &Db) {
    let site = make::stored_site(db).await;
    // Some conversations have equal times, so that only the ID decides their order; they change in
    // another order than they were asked.
    for (created, updated) in [(0, 9), (1, 5), (1, 5), (1, 7), (2, 5), (3, 3)] {
        let (created_at, updated_at) = (later(created), later(updated));
        let handoff = Some(HandoffStatus::Requested);
        let handoff_at = Some(later(updated + created));
        let conversation = make::conversation(site, "q");
        let changed = Conversation { created_at, updated_at, handoff, handoff_at, ..conversation };
        stored_and_updated(db, changed).await;
    }
    let all = ConversationQuery::default();

    for order in [
        ConversationOrder::CreatedDesc,
        ConversationOrder::CreatedAsc,
        ConversationOrder::UpdatedDesc,
        ConversationOrder::UpdatedAsc,
        ConversationOrder::HandoffDesc,
        ConversationOrder::HandoffAsc,
    ] {
        let whole = read!(db, |c| conversations::list(c, site, &all, make::whole(order, START, 100)));
        let mut sorted = whole.clone();
        sorted.sort_by_key(|one| (order.key(one), one.id));
        if matches!(
            order,
            ConversationOrder::CreatedDesc | ConversationOrder::UpdatedDesc | ConversationOrder::HandoffDesc
        ) {
            sorted.reverse();
        }
        assert_eq!(whole, sorted, "{order:?}");
        let mut walked: Vec<Conversation> = Vec::new();
        for offset in (0..6).step_by(2) {
            let window = walked.last().map_or(START, |last| Window::After(order.key(last), last.id));
            let page = read!(db, |c| conversations::list(c, site, &all, make::whole(order, window, 2)));
            let numbered = Window::Offset(offset);
            assert_eq!(
                read!(db, |c| conversations::list(c, site, &all, make::whole(order, numbered, 2))),
                page,
                "{order:?}"
            );
            walked.extend(page);
        }
        assert_eq!(walked, whole, "{order:?}");
        let mut back = read!(db, |c| conversations::list(c, site, &all, make::whole(order.reversed(), START, 100)));
        back.reverse();
        assert_eq!(back, whole, "{order:?} reversed");
    }
}

async fn a_list_reads_only_the_parts_that_are_asked_for(db: &Db) {
    let site = make::stored_site(db).await;
    let blank = make::conversation(site, "");
    let full = Conversation {
        question: "Where?".into(),
        citations: vec![Citation {
            source_id: SourceId::from_uuid(make::uuid()),
            chunk_id: ChunkId::from_uuid(make::uuid()),
            url: Some("https://example.com/".into()),
            source_name: None,
            title: "Hours".into(),
            quote: "Open daily".into(),
            score: 0.875,
            text_fragment: None,
        }],
        confidence: 0.5,
        language: Some("de".into()),
        vote: Some(Vote::No),
        handoff: Some(HandoffStatus::Assigned),
        handoff_at: Some(later(1)),
        customer_email: Some("guest@example.com".into()),
        assignee_id: Some(MemberId::from_uuid(make::uuid())),
        message_count: 7,
        created_at: later(2),
        updated_at: later(3),
        token_id: Some(make::uuid()),
        ..blank
    };
    stored_and_updated(db, full.clone()).await;
    let all = ConversationQuery::default();
    let read = async |parts| {
        let page = PageOfList { parts, ..make::whole(ConversationOrder::CreatedDesc, START, 9) };
        read!(db, |c| conversations::list(c, site, &all, page)).pop().expect("a conversation")
    };

    assert_eq!(read(ConversationParts::ALL).await, full);
    assert_eq!(read(ConversationParts::ID).await, make::only_parts(&full, ConversationParts::ID));
    for bit in 0..13 {
        let part = ConversationParts::from_bits(1 << bit);
        assert_eq!(read(part).await, make::only_parts(&full, part), "{part:?}");
    }
    let texts = ConversationParts::QUESTION.with(ConversationParts::ANSWER).with(ConversationParts::UPDATED);
    assert_eq!(read(texts).await, make::only_parts(&full, texts));
}

async fn a_search_ignores_case(db: &Db) {
    let site = make::stored_site(db).await;
    make::stored(db, make::conversation(site, "ÄPFEL und Straße")).await;
    make::stored(db, make::conversation(site, "ΟΔΟΣ 12, МОСКВА")).await;
    make::stored(db, make::conversation(site, "Kargo İSTANBUL, DIŞARI")).await;
    let answer = "Ring the BELL".to_owned();
    make::stored(db, Conversation { answer, ..make::conversation(site, "日本語?") }).await;
    let search = async |words: &str| {
        listed(db, site, &ConversationQuery { search: Some(words.into()), ..ConversationQuery::default() }).await
    };

    assert_eq!(search("äpfel").await, ["ÄPFEL und Straße"]);
    assert_eq!(search("STRAßE").await, ["ÄPFEL und Straße"]);
    assert_eq!(search("STRASSE").await, ["ÄPFEL und Straße"]);
    assert_eq!(search("istanbul").await, ["Kargo İSTANBUL, DIŞARI"]);
    assert_eq!(search("dışarı").await, ["Kargo İSTANBUL, DIŞARI"]);
    assert_eq!(search("οδος").await, ["ΟΔΟΣ 12, МОСКВА"]);
    assert_eq!(search("οδοσ 12").await, ["ΟΔΟΣ 12, МОСКВА"]);
    assert_eq!(search("москва").await, ["ΟΔΟΣ 12, МОСКВА"]);
    assert_eq!(search("the bell").await, ["日本語?"]);
    assert_eq!(search("本").await, ["日本語?"]);
    assert_eq!(search("apfel").await, [""; 0]);
}

async fn wildcards_in_a_search_are_literal(db: &Db) {
    let site = make::stored_site(db).await;
    for question in ["50% off", "50 off", "a_b", "axb", r"back\slash", "it's \"quoted\""] {
        make::stored(db, make::conversation(site, question)).await;
    }
    let search = async |words: &str| {
        listed(db, site, &ConversationQuery { search: Some(words.into()), ..ConversationQuery::default() }).await
    };

    assert_eq!(search("0%").await, ["50% off"]);
    assert_eq!(search("a_b").await, ["a_b"]);
    assert_eq!(search(r"\").await, [r"back\slash"]);
    assert_eq!(search(r"k\s").await, [r"back\slash"]);
    assert_eq!(search("it's \"q").await, ["it's \"quoted\""]);
    assert_eq!(search("%").await, ["50% off"]);
}

async fn the_last_conversations_of_a_session_are_returned_oldest_first(db: &Db) {
    let site = make::stored_site(db).await;
    for (n, session) in [(0, "mine"), (1, "mine"), (2, "other"), (3, "mine")] {
        let (created_at, session_id) = (later(n), session.to_owned());
        let question = format!("q{n}");
        make::stored(db, Conversation { created_at, session_id, ..make::conversation(site, &question) }).await;
    }

    let last = read!(db, |c| conversations::last_of_session(c, site, "mine", 2));

    assert_eq!(last.into_iter().map(|one| one.question).collect::<Vec<_>>(), ["q1", "q3"]);
    assert_eq!(read!(db, |c| conversations::last_of_session(c, site, "MINE", 2)), []);
}

async fn a_conversation_of_another_site_is_not_found(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let conversation = make::stored(db, make::conversation(site, "secret")).await;
    let (id, session) = (conversation.id, conversation.session_id.clone());

    let stolen = Conversation { site_id: other, vote: Some(Vote::No), ..conversation.clone() };
    assert!(!commit!(db, |c| conversations::update(c, &stolen)));

    assert_eq!(read!(db, |c| conversations::by_ids(c, other, &[id])), []);
    assert_eq!(commit!(db, |c| conversations::by_id_locked(c, other, id)), None);
    assert_eq!(read!(db, |c| conversations::last_of_session(c, other, &session, 9)), []);
    assert_eq!(listed(db, other, &ConversationQuery::default()).await, [""; 0]);
    let place = Window::After(NOW, id);
    let (all, page) = (ConversationQuery::default(), make::whole(ConversationOrder::CreatedAsc, place, 9));
    let after = read!(db, |c| conversations::list(c, other, &all, page));
    assert_eq!(after, []);
    assert_eq!(read!(db, |c| conversations::by_id(c, site, id)), Some(conversation));
}

async fn a_taken_id_is_a_conflict(db: &Db) {
    let site = make::stored_site(db).await;
    let conversation = make::stored(db, make::conversation(site, "a")).await;

    let refused = try_commit!(db, |c| conversations::insert(c, &conversation));

    assert!(matches!(refused, Err(Error::Conflict { .. })), "{refused:?}");
}
