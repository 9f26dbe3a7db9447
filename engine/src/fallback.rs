//! The sentences that HelpBot says itself, in the language of the visitor: that there is no answer,
//! that it offers suggestions, and replies to small talk. Everything else comes from the site.

/// The sentences of one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phrases {
    /// Primary language subtag.
    pub language: &'static str,
    /// Says that the site has no answer.
    pub declined: &'static str,
    /// Introduces a list of suggestions.
    pub suggested: &'static str,
    /// Replies to a greeting.
    pub hello: &'static str,
    /// Replies to thanks.
    pub thanks: &'static str,
    /// Replies to a farewell.
    pub bye: &'static str,
}

/// Returns the sentences for a language tag, in English when the language is not listed.
pub fn phrases(language: &str) -> &'static Phrases {
    let primary = language.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    // Norwegian has two written forms with their own tags. Indonesian and Hebrew have old and new
    // tags.
    let primary = match primary.as_str() {
        "nb" | "nn" => "no",
        "iw" => "he",
        "in" => "id",
        other => other,
    };
    PHRASES.iter().find(|phrases| phrases.language == primary).unwrap_or(&PHRASES[0])
}

/// Returns the sentence for a question without an answer.
pub fn fallback(language: &str) -> &'static str {
    phrases(language).declined
}

/// Whether there are sentences in this language.
pub fn speaks(language: &str) -> bool {
    language.eq_ignore_ascii_case("en") || phrases(language).language != "en"
}

macro_rules! table {
    ($($language:literal: $declined:literal, $suggested:literal, $hello:literal, $thanks:literal, $bye:literal;)+) => {
        /// English first, then in the order of the tags.
        const PHRASES: &[Phrases] = &[$(Phrases {
            language: $language,
            declined: $declined,
            suggested: $suggested,
            hello: $hello,
            thanks: $thanks,
            bye: $bye,
        }),+];
    };
}

table! {
    "en": "I'm sorry, I couldn't find an answer to that. You can rephrase your question or ask to talk to our team.",
        "I'm not sure I have the answer to that. Did you mean one of these?",
        "Hello! How can I help you?", "You're welcome! Is there anything else I can help with?", "Goodbye, and have a great day!";
    "ar": "عذرًا، لم أجد إجابة عن ذلك. يمكنك إعادة صياغة سؤالك أو طلب التحدث إلى فريقنا.",
        "لست متأكدًا من أن لدي إجابة عن ذلك. هل تقصد أحد هذه الأسئلة؟",
        "مرحبًا! كيف يمكنني مساعدتك؟", "على الرحب والسعة! هل هناك شيء آخر يمكنني مساعدتك فيه؟", "مع السلامة، وأتمنى لك يومًا سعيدًا!";
    "bg": "Съжалявам, не намерих отговор на това. Можете да зададете въпроса по друг начин или да поискате разговор с нашия екип.",
        "Не съм сигурен, че имам отговор на това. Може би имахте предвид някой от тези въпроси?",
        "Здравейте! С какво мога да помогна?", "Няма защо! Мога ли да помогна с нещо друго?", "Довиждане и приятен ден!";
    "bn": "দুঃখিত, আমি এর কোনো উত্তর খুঁজে পাইনি। আপনি প্রশ্নটি অন্যভাবে করতে পারেন অথবা আমাদের দলের সঙ্গে কথা বলতে চাইতে পারেন।",
        "আমি নিশ্চিত নই যে এর উত্তর আমার কাছে আছে। আপনি কি এগুলোর কোনো একটি জানতে চেয়েছেন?",
        "নমস্কার! আমি কীভাবে সাহায্য করতে পারি?", "আপনাকে স্বাগতম! আর কিছুতে সাহায্য করতে পারি?", "বিদায়, আপনার দিনটি শুভ হোক!";
    "ca": "Ho sento, no he trobat cap resposta. Pots reformular la pregunta o demanar parlar amb el nostre equip.",
        "No estic segur de tenir-ne la resposta. Volies dir alguna d'aquestes preguntes?",
        "Hola! En què et puc ajudar?", "De res! Et puc ajudar en alguna cosa més?", "Adéu, i que tinguis un bon dia!";
    "cs": "Omlouvám se, na to jsem nenašel odpověď. Můžete otázku zkusit položit jinak nebo požádat o spojení s naším týmem.",
        "Nejsem si jistý, že na to znám odpověď. Neměli jste na mysli některou z těchto otázek?",
        "Dobrý den! Jak vám mohu pomoci?", "Není zač! Mohu vám pomoci ještě s něčím?", "Na shledanou a hezký den!";
    "da": "Beklager, jeg kunne ikke finde et svar på det. Du kan omformulere dit spørgsmål eller bede om at tale med vores team.",
        "Jeg er ikke sikker på, at jeg har svaret på det. Mente du et af disse spørgsmål?",
        "Hej! Hvad kan jeg hjælpe med?", "Det var så lidt! Er der andet, jeg kan hjælpe med?", "Farvel, og hav en god dag!";
    "de": "Es tut mir leid, dazu habe ich keine Antwort gefunden. Sie können die Frage anders formulieren oder nach unserem Team fragen.",
        "Ich bin nicht sicher, ob ich darauf eine Antwort habe. Meinten Sie eine dieser Fragen?",
        "Hallo! Wie kann ich Ihnen helfen?", "Gern geschehen! Kann ich sonst noch etwas für Sie tun?", "Auf Wiedersehen und einen schönen Tag!";
    "el": "Λυπάμαι, δεν βρήκα απάντηση σε αυτό. Μπορείτε να διατυπώσετε αλλιώς την ερώτησή σας ή να ζητήσετε να μιλήσετε με την ομάδα μας.",
        "Δεν είμαι βέβαιος ότι έχω την απάντηση. Μήπως εννοούσατε κάποια από αυτές τις ερωτήσεις;",
        "Γεια σας! Πώς μπορώ να βοηθήσω;", "Παρακαλώ! Μπορώ να βοηθήσω σε κάτι άλλο;", "Αντίο και καλή σας μέρα!";
    "es": "Lo siento, no he encontrado una respuesta a eso. Puede reformular su pregunta o pedir hablar con nuestro equipo.",
        "No estoy seguro de tener la respuesta. ¿Quería decir alguna de estas preguntas?",
        "¡Hola! ¿En qué puedo ayudarle?", "¡De nada! ¿Puedo ayudarle en algo más?", "¡Adiós y que tenga un buen día!";
    "fa": "متأسفم، پاسخی برای آن پیدا نکردم. می‌توانید پرسش خود را به شکل دیگری بنویسید یا بخواهید با تیم ما صحبت کنید.",
        "مطمئن نیستم پاسخ آن را داشته باشم. آیا منظورتان یکی از این پرسش‌ها بود؟",
        "سلام! چطور می‌توانم کمکتان کنم؟", "خواهش می‌کنم! کار دیگری هست که بتوانم انجام دهم؟", "خدانگهدار، روز خوبی داشته باشید!";
    "fi": "Valitettavasti en löytänyt siihen vastausta. Voit muotoilla kysymyksen toisin tai pyytää yhteyttä tiimiimme.",
        "En ole varma, onko minulla siihen vastausta. Tarkoititko jotakin näistä kysymyksistä?",
        "Hei! Miten voin auttaa?", "Ole hyvä! Voinko auttaa vielä jossakin?", "Näkemiin ja hyvää päivänjatkoa!";
    "fr": "Désolé, je n'ai pas trouvé de réponse à cette question. Vous pouvez la reformuler ou demander à parler à notre équipe.",
        "Je ne suis pas sûr d'avoir la réponse. Pensiez-vous à l'une de ces questions ?",
        "Bonjour ! Comment puis-je vous aider ?", "Je vous en prie ! Puis-je vous aider pour autre chose ?", "Au revoir et bonne journée !";
    "he": "מצטער, לא מצאתי תשובה לכך. אפשר לנסח את השאלה אחרת או לבקש לדבר עם הצוות שלנו.",
        "אני לא בטוח שיש לי תשובה לכך. האם התכוונת לאחת מהשאלות האלה?",
        "שלום! איך אפשר לעזור?", "בשמחה! אפשר לעזור בעוד משהו?", "להתראות ויום נעים!";
    "hi": "क्षमा करें, मुझे इसका उत्तर नहीं मिला। आप अपना प्रश्न दूसरे शब्दों में पूछ सकते हैं या हमारी टीम से बात करने का अनुरोध कर सकते हैं।",
        "मुझे यकीन नहीं है कि मेरे पास इसका उत्तर है। क्या आपका मतलब इनमें से किसी प्रश्न से था?",
        "नमस्ते! मैं आपकी क्या सहायता कर सकता हूँ?", "आपका स्वागत है! क्या मैं किसी और चीज़ में मदद कर सकता हूँ?", "नमस्ते, आपका दिन शुभ हो!";
    "hr": "Žao mi je, nisam pronašao odgovor na to. Možete drukčije postaviti pitanje ili zatražiti razgovor s našim timom.",
        "Nisam siguran da imam odgovor na to. Jeste li mislili na neko od ovih pitanja?",
        "Dobar dan! Kako vam mogu pomoći?", "Nema na čemu! Mogu li još nešto učiniti za vas?", "Doviđenja i ugodan dan!";
    "hu": "Sajnálom, erre nem találtam választ. Megfogalmazhatja másképp a kérdést, vagy kérheti, hogy munkatársunkkal beszélhessen.",
        "Nem vagyok biztos benne, hogy tudom erre a választ. Ezek közül valamelyik kérdésre gondolt?",
        "Üdvözlöm! Miben segíthetek?", "Szívesen! Segíthetek még valamiben?", "Viszontlátásra, szép napot!";
    "id": "Maaf, saya tidak menemukan jawaban untuk itu. Anda dapat mengubah pertanyaan atau meminta berbicara dengan tim kami.",
        "Saya tidak yakin memiliki jawabannya. Apakah maksud Anda salah satu dari pertanyaan ini?",
        "Halo! Ada yang bisa saya bantu?", "Sama-sama! Ada lagi yang bisa saya bantu?", "Sampai jumpa, semoga hari Anda menyenangkan!";
    "it": "Mi dispiace, non ho trovato una risposta. Puoi riformulare la domanda o chiedere di parlare con il nostro team.",
        "Non sono sicuro di avere la risposta. Intendevi una di queste domande?",
        "Ciao! Come posso aiutarti?", "Prego! Posso aiutarti in altro?", "Arrivederci e buona giornata!";
    "ja": "申し訳ありません。お答えが見つかりませんでした。別の言葉で質問していただくか、担当者へのお問い合わせをご利用ください。",
        "確かなお答えが見つかりませんでした。次のいずれかのご質問でしょうか？",
        "こんにちは！どのようなご用件でしょうか？", "どういたしまして！ほかにお手伝いできることはありますか？", "ご利用ありがとうございました。良い一日を！";
    "ko": "죄송합니다. 답변을 찾지 못했습니다. 질문을 다르게 입력하시거나 담당자 상담을 요청해 주세요.",
        "정확한 답변이 있는지 확실하지 않습니다. 다음 질문 중 하나를 찾으셨나요?",
        "안녕하세요! 무엇을 도와드릴까요?", "천만에요! 더 도와드릴 일이 있을까요?", "안녕히 가세요. 좋은 하루 되세요!";
    "nl": "Sorry, daar heb ik geen antwoord op gevonden. U kunt uw vraag anders stellen of vragen om met ons team te spreken.",
        "Ik weet niet zeker of ik daar een antwoord op heb. Bedoelde u een van deze vragen?",
        "Hallo! Waarmee kan ik u helpen?", "Graag gedaan! Kan ik u nog ergens mee helpen?", "Tot ziens en een fijne dag!";
    "no": "Beklager, jeg fant ikke noe svar på det. Du kan omformulere spørsmålet eller be om å få snakke med teamet vårt.",
        "Jeg er ikke sikker på at jeg har svaret på det. Mente du et av disse spørsmålene?",
        "Hei! Hva kan jeg hjelpe med?", "Bare hyggelig! Er det noe mer jeg kan hjelpe med?", "Ha det, og ha en fin dag!";
    "pl": "Przepraszam, nie znalazłem odpowiedzi na to pytanie. Możesz zadać je inaczej lub poprosić o rozmowę z naszym zespołem.",
        "Nie mam pewności, czy znam odpowiedź. Czy chodziło o jedno z tych pytań?",
        "Dzień dobry! W czym mogę pomóc?", "Nie ma za co! Czy mogę pomóc w czymś jeszcze?", "Do widzenia i miłego dnia!";
    "pt": "Desculpe, não encontrei uma resposta para isso. Pode reformular a pergunta ou pedir para falar com a nossa equipe.",
        "Não tenho certeza de que tenho a resposta. Quis dizer alguma destas perguntas?",
        "Olá! Como posso ajudar?", "De nada! Posso ajudar em mais alguma coisa?", "Até logo e tenha um bom dia!";
    "ro": "Îmi pare rău, nu am găsit un răspuns. Puteți reformula întrebarea sau puteți cere să vorbiți cu echipa noastră.",
        "Nu sunt sigur că am răspunsul. V-ați referit la una dintre aceste întrebări?",
        "Bună ziua! Cu ce vă pot ajuta?", "Cu plăcere! Vă mai pot ajuta cu ceva?", "La revedere și o zi bună!";
    "ru": "К сожалению, я не нашёл ответа на этот вопрос. Вы можете сформулировать его иначе или попросить связать вас с нашей командой.",
        "Я не уверен, что знаю ответ. Возможно, вы имели в виду один из этих вопросов?",
        "Здравствуйте! Чем могу помочь?", "Пожалуйста! Могу ли я ещё чем-нибудь помочь?", "До свидания и хорошего дня!";
    "sk": "Ľutujem, na to som nenašiel odpoveď. Môžete otázku položiť inak alebo požiadať o spojenie s naším tímom.",
        "Nie som si istý, či na to poznám odpoveď. Nemali ste na mysli niektorú z týchto otázok?",
        "Dobrý deň! Ako vám môžem pomôcť?", "Niet za čo! Môžem vám pomôcť ešte s niečím?", "Dovidenia a pekný deň!";
    "sv": "Tyvärr hittade jag inget svar på det. Du kan formulera om frågan eller be att få prata med vårt team.",
        "Jag är inte säker på att jag har svaret på det. Menade du någon av de här frågorna?",
        "Hej! Vad kan jag hjälpa till med?", "Varsågod! Är det något mer jag kan hjälpa till med?", "Hej då, och ha en bra dag!";
    "th": "ขออภัย ไม่พบคำตอบสำหรับเรื่องนี้ คุณสามารถลองถามใหม่ด้วยถ้อยคำอื่น หรือขอคุยกับทีมงานของเรา",
        "ไม่แน่ใจว่ามีคำตอบสำหรับเรื่องนี้ คุณหมายถึงคำถามใดต่อไปนี้หรือไม่",
        "สวัสดี! มีอะไรให้ช่วยไหม", "ยินดีเสมอ! มีอะไรให้ช่วยอีกไหม", "ลาก่อน ขอให้เป็นวันที่ดี!";
    "tr": "Üzgünüm, buna bir yanıt bulamadım. Sorunuzu farklı şekilde sorabilir veya ekibimizle görüşmek isteyebilirsiniz.",
        "Bunun yanıtını bildiğimden emin değilim. Bu sorulardan birini mi kastettiniz?",
        "Merhaba! Size nasıl yardımcı olabilirim?", "Rica ederim! Başka bir konuda yardımcı olabilir miyim?", "Hoşça kalın, iyi günler!";
    "uk": "На жаль, я не знайшов відповіді на це. Ви можете сформулювати запитання інакше або попросити зв'язати вас із нашою командою.",
        "Я не впевнений, що знаю відповідь. Можливо, ви мали на увазі одне з цих запитань?",
        "Вітаю! Чим можу допомогти?", "Будь ласка! Чи можу я ще чимось допомогти?", "До побачення та гарного дня!";
    "vi": "Rất tiếc, tôi không tìm thấy câu trả lời cho câu hỏi này. Bạn có thể đặt câu hỏi theo cách khác hoặc yêu cầu nói chuyện với đội ngũ của chúng tôi.",
        "Tôi không chắc mình có câu trả lời. Có phải bạn muốn hỏi một trong những câu sau?",
        "Xin chào! Tôi có thể giúp gì cho bạn?", "Không có gì! Tôi có thể giúp gì thêm không?", "Tạm biệt và chúc bạn một ngày tốt lành!";
    "zh": "抱歉，没有找到相关的答案。您可以换一种方式提问，或要求与我们的团队联系。",
        "我不确定是否有这个问题的答案。您想问的是以下问题之一吗？",
        "您好！有什么可以帮您？", "不客气！还有什么可以帮您的吗？", "再见，祝您愉快！";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_language_has_sentences_of_its_own() {
        let sentences: HashSet<&str> = PHRASES.iter().map(|p| p.declined).collect();
        let languages: HashSet<&str> = PHRASES.iter().map(|p| p.language).collect();

        assert!(PHRASES.len() >= 20);
        assert_eq!(sentences.len(), PHRASES.len());
        assert_eq!(languages.len(), PHRASES.len());
    }

    #[test]
    fn regions_old_tags_and_unknown_ones_find_a_language() {
        assert_eq!(phrases("pt-BR").language, "pt");
        assert_eq!(phrases("nb").language, "no");
        assert_eq!(phrases("xx").language, "en");
        assert!(speaks("DE") && speaks("en") && !speaks("xx"));
    }
}
