//! Recordings that play on a page: videos and sound, of the site itself or in the frame of another one.
//!
//! Called by `flatten` for the text that takes their place, and by `markdown` for the address of that text.

use html5ever::{LocalName, local_name};

use super::dom::{Dom, NodeId};

/// The title of a recording that plays on the page, such as a video of another site. An answer that has
/// nothing else links to it.
pub(crate) fn title(dom: &Dom, id: NodeId) -> Option<String> {
    let address = address(dom, id)?;
    let is_player = matches!(*dom.name(id), local_name!("video") | local_name!("audio"))
        || PLAYERS.iter().any(|host| address.contains(host));
    let names = [local_name!("title"), local_name!("aria-label")];
    let title = names.iter().filter_map(|name| dom.attribute(id, name)).map(str::trim).find(|title| !title.is_empty());
    is_player.then(|| title.unwrap_or(if *dom.name(id) == local_name!("audio") { "Audio" } else { "Video" }).to_owned())
}

/// The address of what a frame or a player shows, as it is written.
pub(crate) fn address(dom: &Dom, id: NodeId) -> Option<&str> {
    let own = |id: NodeId| {
        let names = [local_name!("src"), LocalName::from("data-src")];
        names.into_iter().find_map(|name| dom.attribute(id, &name)).map(str::trim).filter(|address| !address.is_empty())
    };
    match *dom.name(id) {
        local_name!("iframe") => own(id),
        local_name!("video") | local_name!("audio") => own(id)
            .or_else(|| dom.children(id).filter(|&child| *dom.name(child) == local_name!("source")).find_map(own)),
        _ => None,
    }
}

/// Hosts whose frames play a recording.
const PLAYERS: [&str; 8] = [
    "youtube.com/embed",
    "youtube-nocookie.com/embed",
    "player.vimeo.com",
    "dailymotion.com/embed",
    "loom.com/embed",
    "wistia.",
    "soundcloud.com",
    "vidyard.com",
];
