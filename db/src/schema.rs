//! The tables as Diesel sees them. `migrations/` is authoritative, and a test compares the two.

diesel::table! {
    sites (id) {
        id -> Text,
        name -> Text,
        owner_email -> Text,
        plan -> Text,
        credit_limit -> BigInt,
        widget -> Text,
        answer_settings -> Text,
        created_at_ms -> BigInt,
        updated_at_ms -> BigInt,
        deleted_at_ms -> Nullable<BigInt>,
        daily_credit_limit -> Nullable<BigInt>,
        address_credit_limit -> Nullable<BigInt>,
    }
}
diesel::table! {
    site_counters (site_id) {
        site_id -> Text,
        event_seq -> BigInt,
        index_version -> BigInt,
        index_floor -> BigInt,
        access_version -> BigInt,
    }
}
diesel::table! {
    keys (id) {
        id -> Text,
        site_id -> Nullable<Text>,
        kind -> Text,
        name -> Text,
        hash -> Text,
        last4 -> Text,
        scopes -> Text,
        origins -> Text,
        member_id -> Nullable<Text>,
        expires_at_ms -> Nullable<BigInt>,
        revoked_at_ms -> Nullable<BigInt>,
        last_used_at_ms -> Nullable<BigInt>,
        created_at_ms -> BigInt,
    }
}
diesel::table! {
    members (site_id, id) {
        site_id -> Text,
        id -> Text,
        name -> Text,
        email -> Text,
        role -> Text,
        created_at_ms -> BigInt,
    }
}
diesel::table! {
    usage_months (site_id, month) {
        site_id -> Text,
        month -> Integer,
        used -> BigInt,
    }
}
diesel::table! {
    credit_holds (site_id, id) {
        site_id -> Text,
        id -> Text,
        month -> Integer,
        expires_at_ms -> BigInt,
    }
}
diesel::table! {
    daily_stats (site_id, day) {
        site_id -> Text,
        day -> Integer,
        questions -> BigInt,
        unanswered -> BigInt,
        handoffs -> BigInt,
        helpful -> BigInt,
        unhelpful -> BigInt,
    }
}
diesel::table! {
    sources (site_id, id) {
        site_id -> Text,
        id -> Text,
        kind -> Text,
        url -> Text,
        title -> Nullable<Text>,
        status -> Text,
        error -> Nullable<Text>,
        document_count -> BigInt,
        chunk_count -> BigInt,
        options -> Text,
        next_scrape_at_ms -> Nullable<BigInt>,
        last_scraped_at_ms -> Nullable<BigInt>,
        created_at_ms -> BigInt,
        updated_at_ms -> BigInt,
        crawl -> Nullable<Text>,
    }
}
diesel::table! {
    source_files (site_id, source_id) {
        site_id -> Text,
        source_id -> Text,
        name -> Text,
        content -> Binary,
    }
}
diesel::table! {
    documents (site_id, id) {
        site_id -> Text,
        id -> Text,
        source_id -> Text,
        url -> Text,
        title -> Nullable<Text>,
        language -> Nullable<Text>,
        outcome -> Text,
        reason -> Nullable<Text>,
        etag -> Nullable<Text>,
        last_modified -> Nullable<Text>,
        content_hash -> Nullable<Text>,
        chunk_count -> BigInt,
        misses -> Integer,
        fetched_at_ms -> BigInt,
        links -> Nullable<Text>,
    }
}
diesel::table! {
    crawl_files (site_id, source_id, url) {
        site_id -> Text,
        source_id -> Text,
        url -> Text,
        etag -> Nullable<Text>,
        last_modified -> Nullable<Text>,
        content -> Text,
    }
}
diesel::table! {
    crawl_visits (site_id, source_id, url) {
        site_id -> Text,
        source_id -> Text,
        url -> Text,
        visit -> Text,
    }
}
diesel::table! {
    chunks (site_id, id) {
        site_id -> Text,
        id -> Text,
        source_id -> Text,
        document_id -> Text,
        position -> Integer,
        kind -> Text,
        question -> Nullable<Text>,
        heading -> Text,
        body -> Text,
        url -> Nullable<Text>,
        page_title -> Nullable<Text>,
        language -> Nullable<Text>,
        phrasings -> Text,
        content_hash -> Text,
    }
}
diesel::table! {
    chunk_vectors (site_id, model, chunk_id) {
        site_id -> Text,
        chunk_id -> Text,
        model -> Text,
        text_hash -> Text,
        vector -> Binary,
    }
}
diesel::table! {
    evaluation_cases (site_id, id) {
        site_id -> Text,
        id -> Text,
        question -> Text,
        expected_source_id -> Nullable<Text>,
        expected_url -> Nullable<Text>,
        expected_question -> Nullable<Text>,
        created_at_ms -> BigInt,
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
    }
}
diesel::table! {
    sessions (site_id, session_id) {
        site_id -> Text,
        session_id -> Text,
        token_id -> Text,
        created_at_ms -> BigInt,
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
    events (site_id, seq) {
        site_id -> Text,
        seq -> BigInt,
        id -> Text,
        event_type -> Text,
        conversation_id -> Text,
        session_id -> Text,
        data -> Text,
        created_at_ms -> BigInt,
        token_id -> Nullable<Text>,
    }
}
diesel::table! {
    jobs (id) {
        id -> Text,
        site_id -> Text,
        kind -> Text,
        dedupe -> Nullable<Text>,
        payload -> Text,
        due_at_ms -> BigInt,
        attempts -> Integer,
        lease_owner -> Nullable<Text>,
        lease_until_ms -> Nullable<BigInt>,
        last_error -> Nullable<Text>,
        created_at_ms -> BigInt,
        done_rows -> BigInt,
        total_rows -> Nullable<BigInt>,
    }
}
diesel::table! {
    idempotent_requests (key_id, name) {
        key_id -> Text,
        name -> Text,
        request_hash -> Text,
        holder -> Text,
        held_until_ms -> BigInt,
        is_carried_out -> Bool,
        answer -> Nullable<Binary>,
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
    webhooks (site_id, id) {
        site_id -> Text,
        id -> Text,
        url -> Text,
        events -> Text,
        description -> Nullable<Text>,
        secret_sealed -> Binary,
        secret_last4 -> Text,
        overlap_sealed -> Nullable<Binary>,
        overlap_last4 -> Nullable<Text>,
        overlap_until_ms -> Nullable<BigInt>,
        is_enabled -> Bool,
        disabled_reason -> Nullable<Text>,
        failing_since_ms -> Nullable<BigInt>,
        first_failed_event_ms -> Nullable<BigInt>,
        last_failed_event_ms -> Nullable<BigInt>,
        paused_until_ms -> Nullable<BigInt>,
        created_at_ms -> BigInt,
        updated_at_ms -> BigInt,
    }
}
diesel::table! {
    deliveries (id) {
        id -> Text,
        site_id -> Text,
        webhook_id -> Text,
        event_id -> Text,
        event_type -> Text,
        event_seq -> Nullable<BigInt>,
        event_at_ms -> BigInt,
        body -> Text,
        status -> Text,
        run_attempts -> Integer,
        attempts -> Integer,
        due_at_ms -> BigInt,
        lease_owner -> Nullable<Text>,
        lease_until_ms -> Nullable<BigInt>,
        created_at_ms -> BigInt,
        finished_at_ms -> Nullable<BigInt>,
    }
}
diesel::table! {
    delivery_attempts (delivery_id, number) {
        site_id -> Text,
        delivery_id -> Text,
        number -> Integer,
        url -> Text,
        status -> Nullable<Integer>,
        error -> Nullable<Text>,
        error_text -> Nullable<Text>,
        dns_ms -> Nullable<BigInt>,
        connect_ms -> Nullable<BigInt>,
        first_byte_ms -> Nullable<BigInt>,
        total_ms -> BigInt,
        request_headers -> Text,
        response -> Text,
        started_at_ms -> BigInt,
        response_headers -> Text,
    }
}
diesel::table! {
    webhook_replays (site_id, id) {
        site_id -> Text,
        id -> Text,
        webhook_id -> Text,
        event_type -> Nullable<Text>,
        since_ms -> BigInt,
        last_seq -> BigInt,
        walked_seq -> BigInt,
        total -> BigInt,
        checked -> BigInt,
        replayed -> BigInt,
        created_at_ms -> BigInt,
        finished_at_ms -> Nullable<BigInt>,
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
    usage_days (site_id, day, address_key) {
        site_id -> Text,
        day -> Integer,
        address_key -> Text,
        used -> BigInt,
    }
}
diesel::table! {
    blocked_visitors (site_id, id) {
        site_id -> Text,
        id -> Text,
        kind -> Text,
        subject -> Text,
        conversation_id -> Text,
        note -> Nullable<Text>,
        created_at_ms -> BigInt,
    }
}
diesel::table! {
    limit_notices (site_id, kind, day) {
        site_id -> Text,
        kind -> Text,
        day -> Integer,
        created_at_ms -> BigInt,
    }
}
diesel::allow_tables_to_appear_in_same_query!(webhooks, deliveries);
diesel::allow_tables_to_appear_in_same_query!(keys, idempotent_requests);
diesel::allow_tables_to_appear_in_same_query!(sites, conversations);
diesel::allow_tables_to_appear_in_same_query!(conversations, messages);
diesel::allow_tables_to_appear_in_same_query!(sites, members);
diesel::allow_tables_to_appear_in_same_query!(sites, sources);
diesel::allow_tables_to_appear_in_same_query!(sites, webhooks);
