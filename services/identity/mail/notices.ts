// What the owner of an account is told that was done to it, in four languages: they may not have done it. Names nobody else.
import type { Language, Templates, Wording } from "../../../mixins/mail/index.ts";

/** Above the link, which leads to the page for a new password. */
const NOT_YOU: Readonly<Record<Language, string>> = {
	en: "If it was not you, set a new password now:",
	pt: "Se não foi você, defina já uma nova palavra-passe:",
	ar: "إن لم تكن أنت من فعل ذلك فعيّن كلمة مرور جديدة الآن:",
	ku: "Heke ne tu bî, niha şîfreyeke nû dane:",
};

/** Subject and sentence, in every language, and what to do where it was somebody else. */
function change<const V extends string = never>(words: Readonly<Record<Language, readonly [string, string]>>, ...values: readonly V[]) {
	const inLanguage = (language: Language): Wording => {
		const [subject, sentence] = words[language];
		return { subject, say: [sentence], link: NOT_YOU[language] };
	};
	const named: readonly (V | "link")[] = [...values, "link"];
	return { values: named, en: inLanguage("en"), pt: inLanguage("pt"), ar: inLanguage("ar"), ku: inLanguage("ku") };
}

export const notices = {
	authenticatorOn: change({
		en: [
			"Your account at Reloop has an authenticator app",
			"Signing in to your account asks for a code of the authenticator app from now on. Recovery codes from before are no longer good.",
		],
		pt: [
			"A sua conta do Reloop tem uma aplicação de autenticação",
			"A partir de agora, iniciar sessão na sua conta pede um código da aplicação de autenticação. Os códigos de recuperação anteriores já não servem.",
		],
		ar: [
			"أصبح لحسابك في Reloop تطبيق مصادقة",
			"من الآن فصاعدًا يتطلب تسجيل الدخول إلى حسابك رمزًا من تطبيق المصادقة. لم تعد رموز الاسترداد السابقة صالحة.",
		],
		ku: [
			"Hesabê te li Reloopê êdî sepaneke rastandinê heye",
			"Ji niha û pê ve ji bo ketina hesabê te kodeke sepana rastandinê tê xwestin. Kodên vegerandinê yên berê êdî ne derbasdar in.",
		],
	}),
	authenticatorOff: change({
		en: [
			"The authenticator app of your account at Reloop was removed",
			"Signing in to your account no longer asks for a code of the authenticator app.",
		],
		pt: [
			"A aplicação de autenticação da sua conta do Reloop foi removida",
			"Iniciar sessão na sua conta já não pede um código da aplicação de autenticação.",
		],
		ar: ["أُزيل تطبيق المصادقة من حسابك في Reloop", "لم يعد تسجيل الدخول إلى حسابك يتطلب رمزًا من تطبيق المصادقة."],
		ku: ["Sepana rastandinê ya hesabê te li Reloopê hat rakirin", "Ji bo ketina hesabê te êdî koda sepana rastandinê nayê xwestin."],
	}),
	passkeyAdded: change(
		{
			en: ["Your account at Reloop has a new passkey", 'The passkey "{name}" was added to your account: it opens it without a password.'],
			pt: [
				"A sua conta do Reloop tem uma nova chave de acesso",
				"A chave de acesso «{name}» foi adicionada à sua conta: abre-a sem palavra-passe.",
			],
			ar: ["أصبح لحسابك في Reloop مفتاح مرور جديد", "أُضيف مفتاح المرور «{name}» إلى حسابك، وهو يفتحه دون كلمة مرور."],
			ku: [
				"Hesabê te li Reloopê mifteyeke nû ya ketinê heye",
				"Mifteya ketinê “{name}” li hesabê te hat zêdekirin: ew wî bê şîfre vedike.",
			],
		},
		"name",
	),
	passkeyRemoved: change(
		{
			en: ["A passkey of your account at Reloop was removed", 'The passkey "{name}" no longer opens your account.'],
			pt: ["Uma chave de acesso da sua conta do Reloop foi removida", "A chave de acesso «{name}» já não abre a sua conta."],
			ar: ["أُزيل مفتاح مرور من حسابك في Reloop", "لم يعد مفتاح المرور «{name}» يفتح حسابك."],
			ku: ["Mifteyeke ketinê ya hesabê te li Reloopê hat rakirin", "Mifteya ketinê “{name}” êdî hesabê te venake."],
		},
		"name",
	),
	recoveryUsed: change(
		{
			en: ["A recovery code of your account at Reloop was used", "A recovery code was used for your account. Codes that are left: {left}."],
			pt: [
				"Foi usado um código de recuperação da sua conta do Reloop",
				"Foi usado um código de recuperação da sua conta. Códigos restantes: {left}.",
			],
			ar: ["استُخدم رمز استرداد لحسابك في Reloop", "استُخدم رمز استرداد لحسابك. الرموز المتبقية: {left}."],
			ku: [
				"Kodeke vegerandinê ya hesabê te li Reloopê hat bikaranîn",
				"Kodeke vegerandinê ji bo hesabê te hat bikaranîn. Kodên mayî: {left}.",
			],
		},
		"left",
	),
	recoveryRenewed: change({
		en: [
			"Your account at Reloop has new recovery codes",
			"Ten new recovery codes were made for your account. Those from before are no longer good.",
		],
		pt: [
			"A sua conta do Reloop tem novos códigos de recuperação",
			"Foram criados dez novos códigos de recuperação para a sua conta. Os anteriores já não servem.",
		],
		ar: ["أصبح لحسابك في Reloop رموز استرداد جديدة", "أُنشئت عشرة رموز استرداد جديدة لحسابك. لم تعد الرموز السابقة صالحة."],
		ku: [
			"Hesabê te li Reloopê kodên vegerandinê yên nû hene",
			"Deh kodên vegerandinê yên nû ji bo hesabê te hatin çêkirin. Yên berê êdî ne derbasdar in.",
		],
	}),
	factorsReset: change({
		en: [
			"The second factors of your account at Reloop were removed",
			"An operator has removed the authenticator app, the passkeys and the recovery codes of your account and ended its sessions. The password alone opens it again.",
		],
		pt: [
			"Os segundos fatores da sua conta do Reloop foram removidos",
			"Um operador removeu a aplicação de autenticação, as chaves de acesso e os códigos de recuperação da sua conta e terminou as suas sessões. A palavra-passe volta a bastar.",
		],
		ar: [
			"أُزيلت عوامل المصادقة الثانية من حسابك في Reloop",
			"أزال أحد المشغّلين تطبيق المصادقة ومفاتيح المرور ورموز الاسترداد من حسابك وأنهى جلساته. أصبحت كلمة المرور وحدها تفتحه من جديد.",
		],
		ku: [
			"Faktorên duyem ên hesabê te li Reloopê hatin rakirin",
			"Operatorekî sepana rastandinê, mifteyên ketinê û kodên vegerandinê yên hesabê te rakirin û danişînên wî girtin. Dîsa şîfre bi tenê wî vedike.",
		],
	}),
	codesTried: change({
		en: [
			"Somebody guesses codes of your account at Reloop",
			"So many wrong codes were tried for your account today that codes of the authenticator app are only taken from where you have signed in before, until tomorrow. Recovery codes and passkeys go on working. Whoever tries knows your password.",
		],
		pt: [
			"Alguém tenta adivinhar códigos da sua conta do Reloop",
			"Hoje foram tentados tantos códigos errados para a sua conta que, até amanhã, os da aplicação de autenticação só são aceites de onde já tinha iniciado sessão. Os códigos de recuperação e as chaves de acesso continuam a funcionar. Quem tenta conhece a sua palavra-passe.",
		],
		ar: [
			"هناك من يحاول تخمين رموز حسابك في Reloop",
			"جُرّب اليوم عدد كبير من الرموز الخاطئة لحسابك، لذا لن تُقبل رموز تطبيق المصادقة حتى الغد إلا من حيث سبق أن سجّلت الدخول. تبقى رموز الاسترداد ومفاتيح المرور صالحة. من يحاول ذلك يعرف كلمة مرورك.",
		],
		ku: [
			"Kesek kodên hesabê te li Reloopê texmîn dike",
			"Îro ewqas kodên çewt ji bo hesabê te hatin ceribandin ku heta sibê kodên sepana rastandinê tenê ji cihên ku tu berê jê ketî tên qebûlkirin. Kodên vegerandinê û mifteyên ketinê her kar dikin. Yê ku diceribîne şîfreya te dizane.",
		],
	}),
	signInLinked: change(
		{
			en: ["Your account at Reloop has another way to sign in", 'Your account can be signed in to with "{provider}" from now on.'],
			pt: [
				"A sua conta do Reloop tem mais uma forma de iniciar sessão",
				"A partir de agora é possível iniciar sessão na sua conta com «{provider}».",
			],
			ar: ["أصبحت لحسابك في Reloop طريقة أخرى لتسجيل الدخول", "من الآن فصاعدًا يمكن تسجيل الدخول إلى حسابك عبر «{provider}»."],
			ku: ["Hesabê te li Reloopê rêyeke din a ketinê heye", "Ji niha û pê ve mirov dikare bi “{provider}” têkeve hesabê te."],
		},
		"provider",
	),
	signInUnlinked: change(
		{
			en: ["A way to sign in to your account at Reloop was removed", '"{provider}" no longer opens your account.'],
			pt: ["Uma forma de iniciar sessão na sua conta do Reloop foi removida", "«{provider}» já não abre a sua conta."],
			ar: ["أُزيلت إحدى طرق تسجيل الدخول إلى حسابك في Reloop", "لم يعد «{provider}» يفتح حسابك."],
			ku: ["Rêyeke ketina hesabê te li Reloopê hat rakirin", "“{provider}” êdî hesabê te venake."],
		},
		"provider",
	),
	/** To the address that it was. */
	emailChanged: {
		values: ["email"],
		en: {
			subject: "The e-mail address of your account at Reloop was changed",
			say: ["Your account has the address {email} now. This address is no longer used for it."],
			after: ["If you do not know why, write to whoever runs this service."],
		},
		pt: {
			subject: "O endereço de e-mail da sua conta do Reloop foi alterado",
			say: ["A sua conta tem agora o endereço {email}. Este endereço deixa de ser usado para ela."],
			after: ["Se não sabe porquê, escreva a quem gere este serviço."],
		},
		ar: {
			subject: "تم تغيير عنوان البريد الإلكتروني لحسابك في Reloop",
			say: ["عنوان حسابك الآن هو {email}. لم يعد هذا العنوان مستخدمًا له."],
			after: ["إن كنت لا تعرف السبب فراسل القائمين على هذه الخدمة."],
		},
		ku: {
			subject: "Navnîşana e-peyamê ya hesabê te li Reloopê hat guhertin",
			say: ["Navnîşana hesabê te niha {email} ye. Ev navnîşan êdî ji bo wî nayê bikaranîn."],
			after: ["Heke tu nizanî çima, ji kesên ku vê xizmetê birêve dibin re binivîse."],
		},
	},
	banned: {
		values: ["reason"],
		en: {
			subject: "Your account at Reloop was banned",
			say: ["Your account was banned, and its sessions were ended.", "The reason given: {reason}"],
		},
		pt: {
			subject: "A sua conta do Reloop foi bloqueada",
			say: ["A sua conta foi bloqueada e as suas sessões foram terminadas.", "O motivo indicado: {reason}"],
		},
		ar: { subject: "تم حظر حسابك في Reloop", say: ["تم حظر حسابك وأُنهيت جلساته.", "السبب المذكور: {reason}"] },
		ku: {
			subject: "Hesabê te li Reloopê hat qedexekirin",
			say: ["Hesabê te hat qedexekirin û danişînên wî hatin girtin.", "Sedema ku hat gotin: {reason}"],
		},
	},
	bannedUntil: {
		values: ["reason", "until"],
		en: {
			subject: "Your account at Reloop was banned",
			say: ["Your account was banned until {until}, and its sessions were ended.", "The reason given: {reason}"],
		},
		pt: {
			subject: "A sua conta do Reloop foi bloqueada",
			say: ["A sua conta foi bloqueada até {until} e as suas sessões foram terminadas.", "O motivo indicado: {reason}"],
		},
		ar: { subject: "تم حظر حسابك في Reloop", say: ["تم حظر حسابك حتى {until} وأُنهيت جلساته.", "السبب المذكور: {reason}"] },
		ku: {
			subject: "Hesabê te li Reloopê hat qedexekirin",
			say: ["Hesabê te heta {until} hat qedexekirin û danişînên wî hatin girtin.", "Sedema ku hat gotin: {reason}"],
		},
	},
	unbanned: {
		values: [],
		en: { subject: "Your account at Reloop is open again", say: ["The ban of your account has ended. You can sign in again."] },
		pt: { subject: "A sua conta do Reloop está de novo aberta", say: ["O bloqueio da sua conta terminou. Pode voltar a iniciar sessão."] },
		ar: { subject: "حسابك في Reloop مفتوح من جديد", say: ["انتهى حظر حسابك. يمكنك تسجيل الدخول من جديد."] },
		ku: { subject: "Hesabê te li Reloopê dîsa vekirî ye", say: ["Qedexeya hesabê te qediya. Tu dikarî dîsa têkevî."] },
	},
	passwordRequired: {
		values: ["code", "link", "minutes"],
		en: {
			subject: "Your account at Reloop needs a new password",
			say: [
				"Whoever looks after accounts has asked for a new password for yours, and ended its sessions.",
				"Set one with this code ({minutes} minutes):",
			],
			link: "or with this link:",
			after: ["Later, ask for a new code on the page for forgotten passwords."],
		},
		pt: {
			subject: "A sua conta do Reloop precisa de uma nova palavra-passe",
			say: [
				"Quem cuida das contas pediu uma nova palavra-passe para a sua e terminou as suas sessões.",
				"Defina-a com este código ({minutes} minutos):",
			],
			link: "ou com esta ligação:",
			after: ["Mais tarde, peça um novo código na página de palavras-passe esquecidas."],
		},
		ar: {
			subject: "حسابك في Reloop يحتاج إلى كلمة مرور جديدة",
			say: ["طلب القائمون على الحسابات كلمة مرور جديدة لحسابك وأنهوا جلساته.", "عيّنها بهذا الرمز ({minutes} دقيقة):"],
			link: "أو بهذا الرابط:",
			after: ["بعد ذلك اطلب رمزًا جديدًا من صفحة كلمات المرور المنسية."],
		},
		ku: {
			subject: "Ji hesabê te li Reloopê re şîfreyeke nû pêwîst e",
			say: [
				"Kesên ku li hesaban dinêrin ji bo yê te şîfreyeke nû xwestin û danişînên wî girtin.",
				"Wê bi vê kodê dane ({minutes} deqîqe):",
			],
			link: "an jî bi vê girêdanê:",
			after: ["Paşê, li ser rûpela şîfreyên jibîrkirî kodeke nû bixwaze."],
		},
	},
} as const satisfies Templates;
