//! Words of customer service with the same meaning, by language.
//!
//! They are used only for words that a site does not contain: where a visitor asks for a "refund"
//! and the site writes of "returns", the question should not fail because of one word. Short forms
//! of chat messages are replaced in any case.

/// Weight of a synonym in place of the word itself.
pub const WEIGHT: f32 = 0.6;

/// Groups of words with one meaning. Each line is a group: the language, then the words.
const GROUPS: &str = "\
en refund return reimbursement reimburse
en ship shipping shipment deliver delivery dispatch send
en order parcel package purchase shipment
en pay payment card visa mastercard paypal charge
en cancel terminate stop end quit unsubscribe
en gift present
en wrap wrapping wrapped
en price cost fee charge tariff
en phone telephone call hotline
en contact support help reach
en password login credentials passcode
en address flat apartment home
en voucher coupon code promo
en discount reduction rebate
en broken defective damaged faulty
en invoice bill receipt
en job career vacancy position
en opening hours open
en exchange swap replace
en appointment booking reservation
de rückerstattung erstattung rückgabe rücksendung zurückgeben umtausch retoure
de versand lieferung liefern versenden zustellung schicken
de paket sendung bestellung lieferung
de kündigen stornieren beenden abbestellen
de preis kosten gebühr tarif
de telefon anrufen hotline telefonnummer
de bezahlen zahlung zahlen karte visa paypal
de kaputt defekt beschädigt
de gutschein rabattcode coupon
de rechnung quittung beleg
de termin reservierung buchung
fr remboursement retour rembourser retourner
fr livraison expédition livrer envoyer envoi
fr colis commande paquet
fr annuler résilier
fr prix coût tarif frais
fr payer paiement carte visa paypal
fr téléphone appeler
es reembolso devolución devolver
es envío entrega enviar entregar
es paquete pedido
es cancelar anular
es precio coste costo tarifa
es pagar pago tarjeta visa paypal
es teléfono llamar";

/// Short forms of English chat messages.
const SHORT_FORMS: [(&str, &str); 9] = [
    ("u", "you"),
    ("ur", "your"),
    ("r", "are"),
    ("pls", "please"),
    ("plz", "please"),
    ("thx", "thanks"),
    ("wanna", "want"),
    ("gonna", "going"),
    ("wheres", "where"),
];

/// Returns the words with the same meaning as `word`, in the primary language subtag `language`.
pub fn of<'a>(language: &'a str, word: &'a str) -> impl Iterator<Item = &'static str> + 'a {
    let groups = GROUPS.lines().filter_map(|line| line.split_once(' '));
    let groups = groups.filter(move |(tag, words)| *tag == language && words.split(' ').any(|known| known == word));
    groups.flat_map(|(_, words)| words.split(' ')).filter(move |other| *other != word)
}

/// Returns the word for a short form of an English chat message.
pub fn spelled_out(language: &str, word: &str) -> Option<&'static str> {
    let known = SHORT_FORMS.iter().find(|(short, _)| language == "en" && *short == word);
    known.map(|(_, word)| *word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn synonyms_belong_to_one_language() {
        assert!(of("en", "coupon").any(|word| word == "voucher"));
        assert_eq!(of("de", "coupon").collect::<Vec<_>>(), ["gutschein", "rabattcode"]);
        assert_eq!(spelled_out("en", "pls"), Some("please"));
        assert_eq!(spelled_out("de", "pls"), None);
    }
}
