// The texts of the widget in Arabic.

import type { Words } from "../words";

export const words: Words = {
  open: "فتح المحادثة مع {}",
  close: "إغلاق المحادثة",
  restart: "البدء من جديد",
  send: "إرسال",
  sources: "المصادر",
  helpful: "مفيد",
  unhelpful: "غير مفيد",
  unread: "{} غير مقروءة",
  retry: "إعادة المحاولة",
  you: "أنت",
  human: "الدعم",
  suggestions: "هل تقصد",
  reconnecting: "جارٍ إعادة الاتصال…",
  ended: "تم إنهاء المحادثة.",
  log: "المحادثة",
  poweredBy: "مدعوم من",
  reopened: "تمت إعادة فتح المحادثة.",
  newSession: "انتهت صلاحية محادثتك السابقة. هذه محادثة جديدة.",
  noCredits: "لا يستطيع المساعد الرد حاليًا.",
  tooMany: "رسائل كثيرة في وقت واحد. يرجى الانتظار قليلاً.",
  full: "هذه المحادثة ممتلئة. يرجى بدء محادثة جديدة.",
  waiting: "في انتظار رد الفريق",
  mail: "إرسال بالبريد الإلكتروني",
};
