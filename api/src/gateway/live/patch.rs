//! Patches between two results of a live query, as RFC 6902 defines them.
//!
//! The task of a live query calls [`between`] for each new result. Applied to the old result, the patch
//! gives the new one exactly, with the fields of each object in the same order, so that a patched result
//! has the same text as the result of a fresh query. Nothing here knows the schema.

use async_graphql::Value;

/// Largest number of pairs of items that are compared to find out which items of a list moved. Two pages
/// of 100 items are 10,000 pairs; beyond the limit, the part of the list that differs is sent whole.
const COMPARED_MAX: usize = 40_000;

/// The JSON text of the patch that turns `old` into `new`, or `None` when they are equal.
///
/// A patch that would be longer than `new` replaces the whole document.
pub(super) fn between(old: &Value, new: &Value) -> Option<String> {
    let mut patch = Patch { text: String::new(), path: String::new() };
    patch.value(old, new);
    if patch.text.is_empty() {
        return None;
    }
    let whole = json(new);
    if patch.text.len() <= whole.len() {
        return Some(format!("[{}]", patch.text));
    }
    let mut replacing = Patch { text: String::new(), path: String::new() };
    replacing.operation("replace", Some(&whole));
    Some(format!("[{}]", replacing.text))
}

struct Patch {
    /// The operations so far, separated by commas.
    text: String,
    /// JSON pointer to the value that is being compared.
    path: String,
}

impl Patch {
    fn value(&mut self, old: &Value, new: &Value) {
        match (old, new) {
            // Applied patches add new fields at the end of an object, so an object with other fields, or with
            // the same fields in another order, is replaced.
            (Value::Object(old_fields), Value::Object(new_fields)) if old_fields.keys().eq(new_fields.keys()) => {
                for (name, new) in new_fields {
                    if let Some(old) = old_fields.get(name) {
                        self.at(&escaped(name), |patch| patch.value(old, new));
                    }
                }
            }
            (Value::List(old), Value::List(new)) => self.list(old, new),
            _ if is_equal(old, new) => {}
            _ => self.operation("replace", Some(&json(new))),
        }
    }

    fn list(&mut self, old: &[Value], new: &[Value]) {
        let start = old.iter().zip(new).take_while(|(old, new)| is_same_item(old, new)).count();
        let (old_rest, new_rest) = (&old[start..], &new[start..]);
        let end =
            old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(old, new)| is_same_item(old, new)).count();
        let old_middle = &old_rest[..old_rest.len() - end];
        let new_middle = &new_rest[..new_rest.len() - end];
        for (index, (old, new)) in old.iter().zip(new).take(start).enumerate() {
            self.item(index, old, new);
        }
        self.middle(start, old_middle, new_middle);
        let tails = (old.len() - end, new.len() - end);
        for (offset, (old, new)) in old[tails.0..].iter().zip(&new[tails.1..]).enumerate() {
            self.item(tails.1 + offset, old, new);
        }
    }

    /// Patches the part of a list between its equal ends. `start` is its position in the new list.
    fn middle(&mut self, start: usize, old: &[Value], new: &[Value]) {
        let is_anonymous = old.iter().chain(new).all(|item| identity(item).is_none());
        if is_anonymous && old.len() == new.len() {
            for (offset, (old, new)) in old.iter().zip(new).enumerate() {
                self.item(start + offset, old, new);
            }
            return;
        }
        let (mut position, mut at) = (start, 0);
        for (from, to) in kept(old, new) {
            for _ in at..from {
                self.at(&position.to_string(), |patch| patch.operation("remove", None));
            }
            at = from + 1;
            position = self.added(position, &new[position - start..to]);
            self.item(position, &old[from], &new[to]);
            position += 1;
        }
        for _ in at..old.len() {
            self.at(&position.to_string(), |patch| patch.operation("remove", None));
        }
        self.added(position, &new[position - start..]);
    }

    /// Adds items from `position` on. Returns the position after them.
    fn added(&mut self, position: usize, items: &[Value]) -> usize {
        for (offset, item) in items.iter().enumerate() {
            self.at(&(position + offset).to_string(), |patch| patch.operation("add", Some(&json(item))));
        }
        position + items.len()
    }

    fn item(&mut self, index: usize, old: &Value, new: &Value) {
        self.at(&index.to_string(), |patch| patch.value(old, new));
    }

    fn at(&mut self, step: &str, compare: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path.push('/');
        self.path.push_str(step);
        compare(self);
        self.path.truncate(length);
    }

    fn operation(&mut self, name: &str, value: Option<&str>) {
        if !self.text.is_empty() {
            self.text.push(',');
        }
        let path = serde_json::Value::from(self.path.as_str());
        self.text.push_str(&format!(r#"{{"op":"{name}","path":{path}"#));
        if let Some(value) = value {
            self.text.push_str(r#","value":"#);
            self.text.push_str(value);
        }
        self.text.push('}');
    }
}

/// The pairs of positions of the items that stay in the list: the longest common subsequence.
fn kept(old: &[Value], new: &[Value]) -> Vec<(usize, usize)> {
    let width = new.len() + 1;
    if old.len().saturating_mul(new.len()) > COMPARED_MAX {
        return Vec::new();
    }
    let mut lengths = vec![0_usize; (old.len() + 1) * width];
    for from in (0..old.len()).rev() {
        for to in (0..new.len()).rev() {
            lengths[from * width + to] = match is_same_item(&old[from], &new[to]) {
                true => lengths[(from + 1) * width + to + 1] + 1,
                false => lengths[(from + 1) * width + to].max(lengths[from * width + to + 1]),
            };
        }
    }
    let (mut pairs, mut from, mut to) = (Vec::new(), 0, 0);
    while from < old.len() && to < new.len() {
        if is_same_item(&old[from], &new[to]) {
            pairs.push((from, to));
            (from, to) = (from + 1, to + 1);
        } else if lengths[(from + 1) * width + to] >= lengths[from * width + to + 1] {
            from += 1;
        } else {
            to += 1;
        }
    }
    pairs
}

/// Whether two items of a list are the same object, perhaps in another state. Items without an identity
/// are the same when they are equal.
fn is_same_item(old: &Value, new: &Value) -> bool {
    match (identity(old), identity(new)) {
        (Some(old), Some(new)) => old == new,
        (None, None) => is_equal(old, new),
        _ => false,
    }
}

/// The ID of an object, or of the node of an edge, if it is selected under its own name.
fn identity(item: &Value) -> Option<&str> {
    let Value::Object(fields) = item else { return None };
    let object = match fields.get("node") {
        Some(Value::Object(node)) => node,
        _ => fields,
    };
    match object.get("id")? {
        Value::String(id) => Some(id),
        _ => None,
    }
}

/// Whether two values have the same JSON text. The order of the fields counts.
fn is_equal(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            let is_same_field = |((old_name, old), (new_name, new))| old_name == new_name && is_equal(old, new);
            old.len() == new.len() && old.iter().zip(new).all(is_same_field)
        }
        (Value::List(old), Value::List(new)) => {
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| is_equal(old, new))
        }
        _ => old == new,
    }
}

fn json(value: &Value) -> String {
    serde_json::to_string(value).expect("GraphQL values are JSON")
}

/// A step of a JSON pointer, RFC 6901.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use async_graphql::value;
    use serde_json::json;

    use super::*;

    fn patch(old: &Value, new: &Value) -> serde_json::Value {
        between(old, new).map_or(serde_json::Value::Null, |text| serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn equal_results_have_no_patch() {
        let result = value!({ "a": [1, { "id": "x", "b": null }] });

        assert_eq!(between(&result, &result.clone()), None);
    }

    #[test]
    fn a_changed_field_is_replaced_at_its_path() {
        let pad = "a long text that makes a replacement of the whole result longer than the patch";
        let old = value!({ "site": { "n/a": 1, "pad": pad } });
        let new = value!({ "site": { "n/a": 2, "pad": pad } });

        assert_eq!(patch(&old, &new), json!([{ "op": "replace", "path": "/site/n~1a", "value": 2 }]));
    }

    #[test]
    fn an_item_that_is_added_in_front_moves_the_others_without_sending_them() {
        let item = |id: &str, n: i32| value!({ "id": id, "n": n, "text": "a text that takes some room in a result" });
        let old = value!({ "list": [item("a", 1), item("b", 1), item("c", 1)] });
        let new = value!({ "list": [item("x", 1), item("a", 1), item("b", 2)] });

        let expected = json!([
            { "op": "add", "path": "/list/0", "value": { "id": "x", "n": 1, "text": "a text that takes some room in a result" } },
            { "op": "replace", "path": "/list/2/n", "value": 2 },
            { "op": "remove", "path": "/list/3" },
        ]);
        assert_eq!(patch(&old, &new), expected);
    }

    #[test]
    fn an_object_of_another_type_and_a_long_patch_replace_what_was_there() {
        let pad = "p".repeat(60);
        let old = value!({ "node": { "id": "a", "x": 1 }, "pad": pad.clone() });
        let new = value!({ "node": { "x": 1, "id": "a" }, "pad": pad });
        assert_eq!(patch(&old, &new)[0]["path"], "/node");

        let short = value!({ "a": 1, "b": 2 });
        assert_eq!(
            patch(&value!({ "a": 2, "b": 3 }), &short),
            json!([{ "op": "replace", "path": "", "value": { "a": 1, "b": 2 } }])
        );
    }
}
