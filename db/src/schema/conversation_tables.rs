//! The tables of conversations.

diesel::table! {
    daily_stats (site_id, day) {
        site_id -> Text,
        day -> Integer,
        questions -> BigInt,
        unanswered -> BigInt,
        handoffs -> BigInt,
        helpful -> BigInt,
        unhelpful -> BigInt,
        expired_questions -> BigInt,
        expired_unanswered -> BigInt,
        expired_handoffs -> BigInt,
        expired_helpful -> BigInt,
        expired_unhelpful -> BigInt,
    }
}
diesel::table! {
    conversations (site_id, id) {
        site_id -> Text,
        id -> Text,
        session_id -> Text,
        question -> Text,
        answer -> Text,
        search_text -> Text,
        citations -> Text,
        outcome -> Text,
        is_unanswered -> Bool,
        confidence -> Double,
        language -> Nullable<Text>,
        is_helpful -> Nullable<Bool>,
        handoff_status -> Nullable<Text>,
        handoff_at_ms -> Nullable<BigInt>,
        customer_email -> Nullable<Text>,
        assignee_id -> Nullable<Text>,
        message_count -> BigInt,
        created_at_ms -> BigInt,
        updated_at_ms -> BigInt,
        token_id -> Nullable<Text>,
        address_key -> Nullable<Text>,
        priority -> Text,
        feedback_reason -> Nullable<Text>,
        feedback_comment -> Nullable<Text>,
        source_id -> Nullable<Text>,
    }
}
diesel::table! {
    handoffs (site_id, conversation_id, number) {
        site_id -> Text,
        conversation_id -> Text,
        number -> BigInt,
        began_at_ms -> BigInt,
        is_requested -> Bool,
        assigned_at_ms -> Nullable<BigInt>,
        first_reply_at_ms -> Nullable<BigInt>,
        resolved_at_ms -> Nullable<BigInt>,
        member_id -> Nullable<Text>,
        rating -> Nullable<BigInt>,
        comment -> Nullable<Text>,
        rated_at_ms -> Nullable<BigInt>,
    }
}
diesel::table! {
    sessions (site_id, session_id) {
        site_id -> Text,
        session_id -> Text,
        token_id -> Text,
        created_at_ms -> BigInt,
        last_seen_at_ms -> Nullable<BigInt>,
        page_url -> Nullable<Text>,
        referrer -> Nullable<Text>,
        language -> Nullable<Text>,
        browser -> Nullable<Text>,
        contact_id -> Nullable<Text>,
    }
}
diesel::table! {
    contacts (site_id, id) {
        site_id -> Text,
        id -> Text,
        external_id -> Text,
        name -> Nullable<Text>,
        email -> Nullable<Text>,
        attributes -> Text,
        search_text -> Text,
        created_at_ms -> BigInt,
        updated_at_ms -> BigInt,
    }
}
diesel::table! {
    messages (site_id, conversation_id, seq) {
        site_id -> Text,
        conversation_id -> Text,
        seq -> BigInt,
        id -> Text,
        author -> Text,
        member_id -> Nullable<Text>,
        agent_name -> Nullable<Text>,
        body -> Text,
        created_at_ms -> BigInt,
    }
}
diesel::table! {
    read_marks (site_id, conversation_id, reader) {
        site_id -> Text,
        conversation_id -> Text,
        reader -> Text,
        seq -> BigInt,
    }
}
diesel::table! {
    transcripts (site_id, id) {
        site_id -> Text,
        id -> Text,
        conversation_id -> Text,
        email -> Text,
        created_at_ms -> BigInt,
        mailbox -> Nullable<Text>,
        session_id -> Nullable<Text>,
        address_key -> Nullable<Text>,
    }
}
diesel::table! {
    transcript_codes (site_id, id) {
        site_id -> Text,
        id -> Text,
        session_id -> Text,
        token_id -> Text,
        email -> Text,
        mailbox -> Text,
        address_key -> Nullable<Text>,
        attempts -> Integer,
        created_at_ms -> BigInt,
        confirmed_at_ms -> Nullable<BigInt>,
    }
}
diesel::table! {
    handoff_notices (site_id, id) {
        site_id -> Text,
        id -> Text,
        conversation_id -> Text,
        session_id -> Text,
        mailbox -> Nullable<Text>,
        address_key -> Nullable<Text>,
        is_listed -> Bool,
        mail_id -> Nullable<Text>,
        mail_due_at_ms -> Nullable<BigInt>,
        created_at_ms -> BigInt,
    }
}
diesel::table! {
    conversation_mails (site_id, id) {
        site_id -> Text,
        id -> Text,
        conversation_id -> Text,
        message_id -> Text,
        is_inbound -> Bool,
        mailbox -> Nullable<Text>,
        first_seq -> BigInt,
        due_at_ms -> BigInt,
        created_at_ms -> BigInt,
    }
}
diesel::table! {
    conversation_tags (site_id, conversation_id, tag) {
        site_id -> Text,
        conversation_id -> Text,
        tag -> Text,
    }
}
diesel::table! {
    conversation_notes (site_id, id) {
        site_id -> Text,
        id -> Text,
        conversation_id -> Text,
        member_id -> Nullable<Text>,
        author_name -> Nullable<Text>,
        body -> Text,
        created_at_ms -> BigInt,
    }
}
diesel::table! {
    canned_replies (site_id, id) {
        site_id -> Text,
        id -> Text,
        name -> Text,
        body -> Text,
        created_at_ms -> BigInt,
        updated_at_ms -> BigInt,
    }
}
diesel::allow_tables_to_appear_in_same_query!(conversations, conversation_tags);
