// The mails of the groups node: who is invited by their address.
import { mailOf } from "../../../mixins/mail/index.ts";
import type { Templates } from "../../../mixins/mail/index.ts";

export const mails = {
	invite: {
		values: ["inviter", "group", "link"],
		en: {
			subject: "{inviter} invites you to a group at Reloop",
			say: ["{inviter} invites you to the group “{group}” at Reloop, where things go round."],
			link: "Look at the invitation here; if you have no account yet, you can make one there:",
			after: ["The link is for you: whoever has it can accept. If you do not know {inviter}, ignore this mail."],
		},
		pt: {
			subject: "{inviter} convida-o para um grupo no Reloop",
			say: ["{inviter} convida-o para o grupo “{group}” no Reloop, onde as coisas circulam."],
			link: "Veja o convite aqui; se ainda não tem conta, pode criá-la lá:",
			after: ["A ligação é para si: quem a tiver pode aceitar. Se não conhece {inviter}, ignore esta mensagem."],
		},
		ar: {
			subject: "يدعوك {inviter} إلى مجموعة في Reloop",
			say: ["يدعوك {inviter} إلى المجموعة «{group}» في Reloop، حيث تدور الأشياء من يد إلى يد."],
			link: "اطّلع على الدعوة هنا، وإن لم يكن لديك حساب بعد فيمكنك إنشاؤه هناك:",
			after: ["هذا الرابط لك وحدك، فكل من يملكه يستطيع القبول. إن كنت لا تعرف {inviter} فتجاهل هذه الرسالة."],
		},
		ku: {
			subject: "{inviter} بانگهێشتت دەکات بۆ گرووپێک لە Reloop",
			say: ["{inviter} بانگهێشتت دەکات بۆ گرووپی «{group}» لە Reloop، ئەو شوێنەی شتەکان دەستاودەست دەکەن."],
			link: "بانگهێشتەکە لێرە ببینە؛ ئەگەر هێشتا هەژمارت نییە، دەتوانیت لەوێ دروستی بکەیت:",
			after: ["ئەم بەستەرە هی تۆیە: هەرکەسێک هەیبێت دەتوانێت قبووڵی بکات. ئەگەر {inviter} ناناسیت، گوێ بەم نامەیە مەدە."],
		},
	},
} as const satisfies Templates;

export const groupsMail = mailOf("groups", mails);
