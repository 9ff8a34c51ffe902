// A bot of grammY's: https://grammy.dev. The first argument says what it does; it prints what it has got as JSON.
import { Bot, GrammyError, InlineKeyboard, InputFile, InputMediaBuilder, Keyboard } from "grammy";
import { readFileSync } from "node:fs";

const [, , task, apiRoot, token, chat] = process.argv;
const bot = new Bot(token, { client: { apiRoot } });
const keys = new InlineKeyboard().text("Yes", "yes").url("Site", "https://shop.ru/").row().switchInline("Share");

const bytes = (text) => new InputFile(new TextEncoder().encode(text), "a.csv");

async function send() {
  const html = await bot.api.sendMessage(chat, "<b>Hello</b>", { parse_mode: "HTML", reply_markup: keys });
  const keyboard = new Keyboard().requestContact("My number").oneTime();
  await bot.api.sendMessage(chat, "Who?", { reply_markup: keyboard, reply_parameters: { message_id: html.message_id } });
  const photo = await bot.api.sendPhoto(chat, bytes("picture"), { caption: "Look" });
  const document = await bot.api.sendDocument(chat, bytes("a;b"));
  const file = await bot.api.getFile(document.document.file_id);
  const download = await fetch(`${apiRoot}/file/bot${token}/${file.file_path}`);
  const album = await bot.api.sendMediaGroup(chat, [
    InputMediaBuilder.photo(bytes("one"), { caption: "One" }),
    InputMediaBuilder.photo("https://shop.ru/a.jpg"),
  ]);
  await bot.api.sendVenue(chat, 55.75, 37.62, "Shop", "Street 1");
  await bot.api.sendPoll(chat, "Tea?", [{ text: "Yes" }, { text: "No" }]);
  await bot.api.sendChatAction(chat, "typing");
  const edited = await bot.api.editMessageText(chat, html.message_id, "Goodbye");
  await bot.api.deleteMessage(chat, photo.message_id);
  const me = await bot.api.getMe();
  return {
    entities: html.entities.map((entity) => entity.type),
    file: document.document.file_name,
    downloaded: await download.text(),
    captions: album.map((message) => message.caption ?? ""),
    edited: edited.text,
    username: me.username,
  };
}

async function refused() {
  const call = async (method, payload) => {
    try {
      await bot.api.raw[method]({ chat_id: chat, ...payload });
      return "taken";
    } catch (error) {
      return error instanceof GrammyError ? `${error.error_code} ${error.description}` : `${error}`;
    }
  };
  return [
    await call("sendMessage", { text: "12.50", parse_mode: "MarkdownV2" }),
    await call("sendMessage", { text: "\u200b" }),
    await call("sendMessage", { text: "x", reply_markup: { inline_keyboard: [[{ text: "x" }]] } }),
    await call("sendDocument", { document: "https://shop.ru/a.docx" }),
    await call("sendTelepathy", {}),
  ];
}

async function handle() {
  const seen = [];
  await bot.init();
  bot.command("start", (ctx) => ctx.reply(`Welcome ${ctx.match}`, { reply_markup: keys }));
  bot.callbackQuery("yes", async (ctx) => {
    await ctx.answerCallbackQuery("Thanks");
    await ctx.editMessageText("Done");
  });
  bot.on("message:contact", (ctx) => seen.push(ctx.message.contact.phone_number));
  bot.on("my_chat_member", (ctx) => seen.push(ctx.myChatMember.new_chat_member.status));
  for (const update of JSON.parse(readFileSync(0, "utf8"))) await bot.handleUpdate(update);
  return seen;
}

console.log(JSON.stringify(await { send, refused, handle }[task]()));
