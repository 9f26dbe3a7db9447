//! Line breaks within paragraphs of scripts without spaces: where a line of Chinese or Japanese ends, none belongs.
//!
//! Called by [`markdown`](super) only. The parser reports the end of such a line as an event between two texts.

use pulldown_cmark::Event;

use super::super::text::is_unspaced;

/// The events of a parser without those breaks.
pub(super) fn removed<'a>(events: impl Iterator<Item = Event<'a>>) -> impl Iterator<Item = Event<'a>> {
    let (mut before, mut is_open) = (None, false);
    events.flat_map(move |event| {
        let mut out = [None, None];
        match event {
            Event::SoftBreak if before.is_some_and(is_unspaced) => is_open = true,
            Event::Text(text) => {
                let is_whole = text.chars().next().is_some_and(is_unspaced);
                if std::mem::take(&mut is_open) && !is_whole {
                    out[0] = Some(Event::SoftBreak);
                }
                before = text.chars().next_back();
                out[1] = Some(Event::Text(text));
            }
            // Marks within a line may stand between a break and the text behind it.
            Event::Start(_) | Event::End(_) | Event::InlineHtml(_) => out[1] = Some(event),
            event => {
                if std::mem::take(&mut is_open) {
                    out[0] = Some(Event::SoftBreak);
                }
                before = None;
                out[1] = Some(event);
            }
        }
        out.into_iter().flatten()
    })
}
