// The mails of the identity node. A mail with a code or a link names nobody: its address may be a stranger's, typed by somebody else.
import { mailOf } from "../../../mixins/mail/index.ts";
import type { Templates } from "../../../mixins/mail/index.ts";
import { notices } from "./notices.ts";

export const mails = {
	...notices,
	verification: {
		values: ["code", "link", "minutes"],
		en: {
			subject: "Confirm your e-mail address",
			say: ["Welcome to Reloop. Please confirm that this address is yours, with this code (good for {minutes} minutes):"],
			link: "or with this link, which is good for 24 hours:",
			after: ["If you have no account at Reloop, ignore this mail."],
		},
		pt: {
			subject: "Confirme o seu endereço de e-mail",
			say: ["Boas-vindas ao Reloop. Confirme que este endereço é seu com este código (válido durante {minutes} minutos):"],
			link: "ou com esta ligação, válida durante 24 horas:",
			after: ["Se não tem conta no Reloop, ignore esta mensagem."],
		},
		ar: {
			subject: "أكّد عنوان بريدك الإلكتروني",
			say: ["مرحبًا بك في Reloop. يُرجى تأكيد أن هذا العنوان لك بهذا الرمز (صالح لمدة {minutes} دقيقة):"],
			link: "أو بهذا الرابط الصالح لمدة 24 ساعة:",
			after: ["إن لم يكن لديك حساب في Reloop فتجاهل هذه الرسالة."],
		},
		ku: {
			subject: "ناونیشانی ئیمەیڵەکەت پشتڕاست بکەرەوە",
			say: ["بەخێربێیت بۆ Reloop. تکایە بەم کۆدە پشتڕاستی بکەرەوە کە ئەم ناونیشانە هی تۆیە ({minutes} خولەک کاردەکات):"],
			link: "یان بەم بەستەرە، کە 24 کاتژمێر کاردەکات:",
			after: ["ئەگەر هەژمارت لە Reloop نییە، گوێ بەم نامەیە مەدە."],
		},
	},
	reset: {
		values: ["code", "link", "minutes"],
		en: {
			subject: "A new password for Reloop",
			say: ["Somebody asked for a new password for your account. With this code you can set one ({minutes} minutes):"],
			link: "or with this link:",
			after: ["If it was not you, ignore this mail: your password stays as it is."],
		},
		pt: {
			subject: "Uma nova palavra-passe para o Reloop",
			say: ["Foi pedida uma nova palavra-passe para a sua conta. Pode defini-la com este código ({minutes} minutos):"],
			link: "ou com esta ligação:",
			after: ["Se não foi você, ignore esta mensagem: a sua palavra-passe não muda."],
		},
		ar: {
			subject: "كلمة مرور جديدة لـ Reloop",
			say: ["طلب أحدهم كلمة مرور جديدة لحسابك. يمكنك تعيينها بهذا الرمز ({minutes} دقيقة):"],
			link: "أو بهذا الرابط:",
			after: ["إن لم تطلب ذلك فتجاهل هذه الرسالة، وستبقى كلمة مرورك كما هي."],
		},
		ku: {
			subject: "وشەی نهێنی نوێ بۆ Reloop",
			say: ["کەسێک داوای وشەی نهێنی نوێی بۆ هەژمارەکەت کردووە. بەم کۆدە دەتوانیت دایبنێیت ({minutes} خولەک):"],
			link: "یان بەم بەستەرە:",
			after: ["ئەگەر تۆ نەبوویت، گوێ بەم نامەیە مەدە: وشەی نهێنییەکەت وەک خۆی دەمێنێتەوە."],
		},
	},
	change: {
		values: ["code", "link", "minutes"],
		en: {
			subject: "Confirm your new e-mail address",
			say: ["An account at Reloop is to use this address from now on. Confirm it with this code (good for {minutes} minutes):"],
			link: "or with this link, which is good for 24 hours:",
			after: ["If you did not ask for this, ignore this mail: nothing changes."],
		},
		pt: {
			subject: "Confirme o seu novo endereço de e-mail",
			say: ["Uma conta do Reloop vai passar a usar este endereço. Confirme-o com este código (válido durante {minutes} minutos):"],
			link: "ou com esta ligação, válida durante 24 horas:",
			after: ["Se não fez este pedido, ignore esta mensagem: nada muda."],
		},
		ar: {
			subject: "أكّد عنوان بريدك الإلكتروني الجديد",
			say: ["سيُستخدم هذا العنوان لحساب في Reloop. أكّده بهذا الرمز (صالح لمدة {minutes} دقيقة):"],
			link: "أو بهذا الرابط الصالح لمدة 24 ساعة:",
			after: ["إن لم تطلب ذلك فتجاهل هذه الرسالة، ولن يتغيّر شيء."],
		},
		ku: {
			subject: "ناونیشانی ئیمەیڵە نوێیەکەت پشتڕاست بکەرەوە",
			say: ["هەژمارێک لە Reloop لەمەودوا ئەم ناونیشانە بەکاردەهێنێت. بەم کۆدە پشتڕاستی بکەرەوە ({minutes} خولەک کاردەکات):"],
			link: "یان بەم بەستەرە، کە 24 کاتژمێر کاردەکات:",
			after: ["ئەگەر تۆ داوات نەکردووە، گوێ بەم نامەیە مەدە: هیچ ناگۆڕێت."],
		},
	},
	emailChanging: {
		values: ["email", "link"],
		en: {
			subject: "Your e-mail address at Reloop is about to change",
			say: ["Your account is to use {email} as soon as that address is confirmed."],
			link: "If it was not you, set a new password now. That stops the change:",
		},
		pt: {
			subject: "O seu endereço de e-mail no Reloop vai mudar",
			say: ["A sua conta vai passar a usar {email} assim que esse endereço for confirmado."],
			link: "Se não foi você, defina já uma nova palavra-passe. Isso impede a mudança:",
		},
		ar: {
			subject: "عنوان بريدك الإلكتروني في Reloop على وشك أن يتغيّر",
			say: ["سيستخدم حسابك العنوان {email} حالما يُؤكَّد."],
			link: "إن لم تكن أنت من طلب ذلك فعيّن كلمة مرور جديدة الآن، وهذا يوقف التغيير:",
		},
		ku: {
			subject: "ناونیشانی ئیمەیڵەکەت لە Reloop خەریکە بگۆڕێت",
			say: ["هەژمارەکەت {email} بەکاردەهێنێت هەر کە ئەو ناونیشانە پشتڕاستکرایەوە."],
			link: "ئەگەر تۆ نەبوویت، هەر ئێستا وشەی نهێنی نوێ دابنێ. ئەوە گۆڕانکارییەکە ڕادەگرێت:",
		},
	},
	passwordChanged: {
		values: ["link"],
		en: {
			subject: "Your password at Reloop was changed",
			say: ["The password of your account was changed, and its other sessions were ended."],
			link: "If it was not you, set a new one now:",
		},
		pt: {
			subject: "A sua palavra-passe no Reloop foi alterada",
			say: ["A palavra-passe da sua conta foi alterada e as outras sessões foram terminadas."],
			link: "Se não foi você, defina já uma nova:",
		},
		ar: {
			subject: "تم تغيير كلمة مرورك في Reloop",
			say: ["تم تغيير كلمة مرور حسابك وأُنهيت جلساته الأخرى."],
			link: "إن لم تكن أنت من فعل ذلك فعيّن كلمة مرور جديدة الآن:",
		},
		ku: {
			subject: "وشەی نهێنییەکەت لە Reloop گۆڕدرا",
			say: ["وشەی نهێنی هەژمارەکەت گۆڕدرا و دانیشتنەکانی تری کۆتاییان پێهێنرا."],
			link: "ئەگەر تۆ نەبوویت، هەر ئێستا یەکێکی نوێ دابنێ:",
		},
	},
	exportReady: {
		values: ["link"],
		en: {
			subject: "Your data from Reloop is ready",
			say: ["The archive with everything that Reloop keeps of you is ready. It can be downloaded for 24 hours."],
			link: "Sign in to download it:",
			after: ["If you did not ask for it, end your other sessions and set a new password."],
		},
		pt: {
			subject: "Os seus dados do Reloop estão prontos",
			say: ["O arquivo com tudo o que o Reloop guarda sobre si está pronto. Pode ser descarregado durante 24 horas."],
			link: "Inicie sessão para o descarregar:",
			after: ["Se não fez este pedido, termine as outras sessões e defina uma nova palavra-passe."],
		},
		ar: {
			subject: "بياناتك من Reloop جاهزة",
			say: ["الأرشيف الذي يضم كل ما يحتفظ به Reloop عنك جاهز. يمكن تنزيله خلال 24 ساعة."],
			link: "سجّل الدخول لتنزيله:",
			after: ["إن لم تطلب ذلك فأنهِ جلساتك الأخرى وعيّن كلمة مرور جديدة."],
		},
		ku: {
			subject: "داتاکانت لە Reloop ئامادەن",
			say: ["ئەرشیفی هەموو ئەوەی Reloop دەربارەی تۆ هەڵیدەگرێت ئامادەیە. 24 کاتژمێر دەتوانرێت دابگیرێت."],
			link: "بۆ داگرتنی بچۆ ژوورەوە:",
			after: ["ئەگەر تۆ داوات نەکردووە، دانیشتنەکانی ترت کۆتایی پێبهێنە و وشەی نهێنی نوێ دابنێ."],
		},
	},
	accountErased: {
		values: [],
		en: {
			subject: "Your account at Reloop was erased",
			say: [
				"Your account at Reloop was erased, and nobody can sign in to it any more. What you wrote to others stays without your name.",
				"This is the last mail to this address. You can register with it anew.",
			],
		},
		pt: {
			subject: "A sua conta do Reloop foi apagada",
			say: [
				"A sua conta do Reloop foi apagada e já ninguém pode iniciar sessão nela. O que escreveu a outros fica sem o seu nome.",
				"Esta é a última mensagem para este endereço. Pode voltar a registar-se com ele.",
			],
		},
		ar: {
			subject: "تم محو حسابك في Reloop",
			say: [
				"تم محو حسابك في Reloop ولم يعد بإمكان أحد تسجيل الدخول إليه. ما كتبته للآخرين يبقى دون اسمك.",
				"هذه آخر رسالة إلى هذا العنوان. يمكنك التسجيل به من جديد.",
			],
		},
		ku: {
			subject: "هەژمارەکەت لە Reloop سڕایەوە",
			say: [
				"هەژمارەکەت لە Reloop سڕایەوە و چیتر کەس ناتوانێت پێی بچێتە ژوورەوە. ئەوەی بۆ کەسانی تر نووسیوتە بەبێ ناوی تۆ دەمێنێتەوە.",
				"ئەمە دوایین نامەیە بۆ ئەم ناونیشانە. دەتوانیت پێی سەرلەنوێ خۆت تۆمار بکەیت.",
			],
		},
	},
} as const satisfies Templates;

export const identityMail = mailOf("identity", mails);
