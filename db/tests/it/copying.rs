//! Tests of the copying of rows: every table and column of the schema, on both databases, from a snapshot.

use std::collections::BTreeSet;
use std::time::Duration;

use helpbot_db::copying::{ColumnKind, ColumnValue, CopiedColumn, CopiedTable, marks, rows, tables};
use helpbot_db::{Db, Error, SnapshotKind, sites};

use crate::make;
use crate::migrations::diesel_tables;

on_both_backends!(
    every_table_and_column_of_the_schema_is_copied,
    tables_follow_those_that_they_refer_to,
    every_column_is_read_as_it_was_inserted_except_leases,
    values_of_another_kind_are_refused,
    a_snapshot_does_not_see_later_writes,
    an_exclusive_snapshot_makes_writers_wait,
    an_exclusive_snapshot_is_refused_while_a_node_is_connected,
    a_database_is_marked_until_its_copy_is_finished,
);

/// Rows of each table in these tests, for several batches.
const ROWS: u8 = 20;
const BATCH: usize = 7;

async fn listed(db: &Db) -> Vec<CopiedTable> {
    read!(db, |c| tables::list(c))
}

/// Fails when a migration adds a table or a column that a backup would miss.
async fn every_table_and_column_of_the_schema_is_copied(db: &Db) {
    let copied: BTreeSet<(String, String)> = listed(db)
        .await
        .into_iter()
        .flat_map(|table| table.columns.into_iter().map(move |column| (table.name.clone(), column.name)))
        .collect();

    let expected = diesel_tables()
        .into_iter()
        .filter(|(name, _)| !tables::NOT_COPIED.contains(&name.as_str()))
        .flat_map(|(name, columns)| columns.into_keys().map(move |column| (name.clone(), column)))
        .collect();
    assert_eq!(copied, expected);
    let leases: BTreeSet<(&str, &str)> = copied
        .iter()
        .filter(|(_, column)| column.starts_with("lease_"))
        .map(|(table, column)| (table.as_str(), column.as_str()))
        .collect();
    assert_eq!(leases, BTreeSet::from(tables::RESET), "leases are not copied");
}

async fn tables_follow_those_that_they_refer_to(db: &Db) {
    let listed = listed(db).await;
    let place = |name: &str| listed.iter().position(|table| table.name == name).expect("a table");

    for [referred, referring] in [
        ["sites", "sources"],
        ["sources", "documents"],
        ["documents", "chunks"],
        ["chunks", "chunk_vectors"],
        ["source_files", "source_file_parts"],
        ["webhooks", "deliveries"],
        ["deliveries", "delivery_attempts"],
        ["keys", "idempotent_requests"],
    ] {
        assert!(place(referred) < place(referring), "{referred} comes before {referring}");
    }
    let of = |name: &str| &listed[place(name)];
    let key = |table: &CopiedTable| table.key.iter().map(|at| table.columns[*at].name.clone()).collect::<Vec<_>>();
    assert_eq!(key(of("conversations")), ["site_id", "id"]);
    assert_eq!(key(of("chunk_vectors")), ["site_id", "model", "chunk_id"]);
}

/// The row with this number. All of its texts and numbers are the same, so that it refers to rows of other tables.
fn row(table: &CopiedTable, number: u8) -> Vec<ColumnValue> {
    let value = |column: &CopiedColumn| match column.kind {
        ColumnKind::Text => ColumnValue::Text(format!("{number:03} \u{e4}\n\"'\u{1f41d}")),
        ColumnKind::Binary => ColumnValue::Bytes(vec![number, 0, 255]),
        ColumnKind::Double => ColumnValue::Real(f64::from(number) / 3.0),
        _ if column.name.starts_with("is_") => ColumnValue::Integer(i64::from(number % 2)),
        ColumnKind::BigInt | ColumnKind::Integer | ColumnKind::Bool => ColumnValue::Integer(number.into()),
    };
    table.columns.iter().map(value).collect()
}

async fn every_column_is_read_as_it_was_inserted_except_leases(db: &Db) {
    for table in listed(db).await {
        let inserted: Vec<_> = (1..=ROWS).map(|number| row(&table, number)).collect();
        let (copy, of_table) = (inserted.clone(), table.clone());
        commit!(db, |c| async move { rows::insert(c, &of_table, &copy).await });

        let mut read: Vec<Vec<ColumnValue>> = Vec::new();
        loop {
            let last = read.last().cloned();
            let batch = read!(db, |c| rows::read(c, &table, last.as_deref(), BATCH));
            assert!(batch.len() <= BATCH);
            if batch.is_empty() {
                break;
            }
            read.extend(batch);
        }

        let without_leases = |row: Vec<ColumnValue>| -> Vec<ColumnValue> {
            let value = |(value, column): (ColumnValue, &CopiedColumn)| match column.is_reset {
                true => ColumnValue::Null,
                false => value,
            };
            row.into_iter().zip(&table.columns).map(value).collect()
        };
        let expected: Vec<_> = inserted.into_iter().map(without_leases).collect();
        assert_eq!(read, expected, "{}", table.name);
        assert_eq!(read!(db, |c| rows::count(c, &table)), i64::from(ROWS));
    }
}

async fn values_of_another_kind_are_refused(db: &Db) {
    let table = listed(db).await.into_iter().find(|table| table.name == "sites").expect("the table of sites");
    let text = table.columns.iter().position(|column| column.kind == ColumnKind::Text).expect("a text");

    for wrong in [vec![ColumnValue::Null], {
        let mut row = row(&table, 1);
        row[text] = ColumnValue::Bytes(vec![1]);
        row
    }] {
        let table = table.clone();
        let refused = try_commit!(db, |c| async move { rows::insert(c, &table, &[wrong]).await });

        assert!(refused.is_err());
    }
    assert_eq!(read!(db, |c| rows::count(c, &table)), 0);
}

async fn a_snapshot_does_not_see_later_writes(db: &Db) {
    let table = listed(db).await.into_iter().find(|table| table.name == "sites").expect("the table of sites");
    let mut snapshot = db.snapshot(SnapshotKind::Shared).await.expect("a snapshot");

    make::stored_site(db).await;

    assert_eq!(rows::count(&mut snapshot, &table).await.expect("counted"), 0);
    assert_eq!(read!(db, |c| rows::count(c, &table)), 1);
}

async fn an_exclusive_snapshot_makes_writers_wait(db: &Db) {
    let tables = listed(db).await;
    let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    let snapshot = db.snapshot(SnapshotKind::Exclusive(&names)).await.expect("a snapshot");
    let (site, db) = (make::site(), db.clone());

    let mut writing = tokio::spawn(async move {
        db.write::<_, Error, _>(move |c| Box::pin(async move { sites::insert(c, &site).await })).await
    });
    let early = tokio::time::timeout(Duration::from_millis(300), &mut writing).await;
    drop(snapshot);

    assert!(early.is_err(), "the write waits");
    writing.await.expect("no panic").expect("written");
}

async fn an_exclusive_snapshot_is_refused_while_a_node_is_connected(db: &Db) {
    // Only PostgreSQL has a channel. On SQLite, the server holds a lock file.
    let Some(channel) = db.channel().await.expect("a channel") else { return };

    let refused = db.snapshot(SnapshotKind::Exclusive(&["sites"])).await.map(drop);
    let shared = db.snapshot(SnapshotKind::Shared).await.map(drop);
    drop(channel);

    assert!(matches!(&refused, Err(Error::Unavailable(reason)) if reason.contains("is running")), "{refused:?}");
    assert!(shared.is_ok(), "{shared:?}");
}

async fn a_database_is_marked_until_its_copy_is_finished(db: &Db) {
    assert_eq!(read!(db, |c| marks::unfinished(c)), None);

    commit!(db, |c| marks::begin(c, "the restore of x"));
    assert_eq!(read!(db, |c| marks::unfinished(c)).as_deref(), Some("the restore of x"));
    commit!(db, |c| marks::finish(c, "0011", Some(&[1, 2])));

    assert_eq!(read!(db, |c| marks::unfinished(c)), None);
    assert_eq!(read!(db, |c| helpbot_db::installation::key_fingerprint(c)).as_deref(), Some("0011"));
    assert_eq!(read!(db, |c| helpbot_db::installation::hash_key(c)), Some(vec![1, 2]));
}
