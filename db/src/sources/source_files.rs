//! The uploaded files of sources. Their content is stored in parts, so that neither writing nor
//! reading a file needs a second copy of it in memory.

use diesel::prelude::*;
use diesel::upsert::excluded;
use helpbot_domain::ids::{SiteId, SourceId};

use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::run::RunQueryDsl;
use crate::error::Result;
use crate::schema::{source_file_parts as parts, source_files as files};

/// Length of a part in bytes. The last one of a file is shorter.
const PART_BYTES: usize = 1024 * 1024;

/// Stores the content of a file source, replacing the previous one.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn put(c: &mut Conn, site: SiteId, id: SourceId, name: &str, content: &[u8]) -> Result<()> {
    let (site, id) = (site.to_string(), id.to_string());
    let count = i64::try_from(content.len().div_ceil(PART_BYTES)).unwrap_or(i64::MAX);
    let version: i64 = on!(c, |c| {
        diesel::insert_into(files::table)
            .values((
                files::site_id.eq(&site),
                files::source_id.eq(&id),
                files::name.eq(name),
                files::version.eq(1),
                files::parts.eq(count),
            ))
            .on_conflict((files::site_id, files::source_id))
            .do_update()
            .set((
                files::name.eq(excluded(files::name)),
                files::version.eq(files::version + 1),
                files::parts.eq(excluded(files::parts)),
            ))
            .returning(files::version)
            .get_result(c)
            .await
    })?;
    on!(c, |c| {
        diesel::delete(parts::table.filter(parts::site_id.eq(&site)).filter(parts::source_id.eq(&id))).execute(c).await
    })?;
    for (seq, part) in (0_i64..).zip(content.chunks(PART_BYTES)) {
        on!(c, |c| {
            diesel::insert_into(parts::table)
                .values((
                    parts::site_id.eq(&site),
                    parts::source_id.eq(&id),
                    parts::version.eq(version),
                    parts::seq.eq(seq),
                    parts::content.eq(part),
                ))
                .execute(c)
                .await
        })?;
    }
    Ok(())
}

/// Returns the name and content of a file source.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn of_source(c: &mut Conn, site: SiteId, id: SourceId) -> Result<Option<(String, Vec<u8>)>> {
    let (site, id) = (site.to_string(), id.to_string());
    loop {
        let file: Option<(String, i64, i64)> = on!(c, |c| {
            files::table
                .filter(files::site_id.eq(&site))
                .filter(files::source_id.eq(&id))
                .select((files::name, files::version, files::parts))
                .get_result(c)
                .await
                .optional()
        })?;
        let Some((name, version, count)) = file else { return Ok(None) };
        if let Some(content) = content(c, &site, &id, version, count).await? {
            return Ok(Some((name, content)));
        }
        // The file was replaced meanwhile.
    }
}

/// Returns the content of one version, and `None` when it is gone.
async fn content(c: &mut Conn, site: &str, id: &str, version: i64, count: i64) -> Result<Option<Vec<u8>>> {
    let mut content = Vec::with_capacity(usize::try_from(count).unwrap_or(0).saturating_mul(PART_BYTES));
    for seq in 0..count {
        let part: Option<Vec<u8>> = on!(c, |c| {
            parts::table
                .filter(parts::site_id.eq(site))
                .filter(parts::source_id.eq(id))
                .filter(parts::version.eq(version))
                .filter(parts::seq.eq(seq))
                .select(parts::content)
                .get_result(c)
                .await
                .optional()
        })?;
        let Some(part) = part else { return Ok(None) };
        content.extend_from_slice(&part);
    }
    Ok(Some(content))
}
