//! The rejection of values: the name of a field, and a message for the person who sent the value. A use case
//! checks all of its values before it returns, so that the caller learns of every rejection at once.

/// A value that violates a rule. The message is public and says what is expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Invalid {
    /// Field name as callers spell it, for example `customerEmail`.
    pub field: &'static str,
    /// Message without a final period.
    pub message: String,
    /// Rejections of other fields of the same input, in the order of the fields.
    pub others: Vec<Invalid>,
}

impl Invalid {
    /// Creates a rejection of `field`.
    pub fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self { field, message: message.into(), others: Vec::new() }
    }

    /// Adds the rejection of a value that was checked after those in `earlier`.
    pub fn add(earlier: &mut Option<Self>, later: Self) {
        match earlier {
            Some(first) => first.others.push(later),
            None => *earlier = Some(later),
        }
    }
}

/// Checked values of one input.
pub trait Together {
    /// The values.
    type Values;

    /// Returns all values, or all rejections.
    ///
    /// # Errors
    /// The first rejection, with the others in [`Invalid::others`].
    fn together(self) -> Result<Self::Values, Invalid>;
}

macro_rules! together {
    ($($value:ident $type:ident,)+) => {
        impl<$($type),+> Together for ($(Result<$type, Invalid>,)+) {
            type Values = ($($type,)+);

            fn together(self) -> Result<Self::Values, Invalid> {
                let ($($value,)+) = self;
                let mut rejected = None;
                $(let $value = $value.map_err(|invalid| Invalid::add(&mut rejected, invalid));)+
                match ($($value,)+) {
                    ($(Ok($value),)+) => Ok(($($value,)+)),
                    _ => Err(rejected.expect("one of the values was rejected")),
                }
            }
        }
    };
}

together!(a A, b B,);
together!(a A, b B, c C,);
together!(a A, b B, c C, d D,);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_rejections_are_returned_in_the_order_of_the_fields() {
        let (name, email) = (Invalid::new("name", "Missing name"), Invalid::new("email", "Missing email"));
        let both = Invalid { others: vec![email.clone()], ..name.clone() };

        assert_eq!((Ok(1), Ok("a")).together(), Ok((1, "a")));
        assert_eq!((Ok(1), Err::<(), _>(email.clone())).together(), Err(email.clone()));
        assert_eq!((Err::<(), _>(name), Ok(1), Err::<(), _>(email)).together(), Err(both));
    }
}
