/** Whether a refusal is about a server on the way, or about the recipient. Pure. */

/**
 * RFC 3463: X.3 is about the mail system, X.4 about network and routing, X.7 about security or policy. X.1.7 and X.1.8
 * are about the sender's own address. X.1 otherwise is about the recipient's address, and X.2 about its mailbox.
 */
export function isOfServer(enhancedCode: string): boolean {
  return /^[45]\.(?:[347]\.|1\.[78]$)/u.test(enhancedCode);
}

/**
 * @param response the server's whole answer, with a reply code from 500 on. Its text decides where no code does,
 * and is not kept.
 */
export function isRefusalOfServer(response: string, enhancedCode: string | undefined): boolean {
  if (enhancedCode !== undefined && isOfServer(enhancedCode)) return true;
  if (sendersTrouble.test(response)) return true;
  if (/^[45]\.[12]\./u.test(enhancedCode ?? '')) return false;
  return serversTrouble.test(response) && !mailboxTrouble.test(response);
}

/** Postfix puts a blame of the sender under 5.1.0, and Amazon SES gives no code for it. */
const sendersTrouble =
  /sender (?:address )?(?:is )?(?:rejected|refused|denied)|sender verify failed|address is not verified|sending (?:is )?(?:suspended|paused|disabled)/iu;
const serversTrouble =
  /relay|quota|rate.?limit|limit exceeded|too many|throttl|block(?:ed|list)|blacklist|reputation|spam|not author|unauthor|authentication|prohibit|policy|\b(?:spf|dkim|dmarc|dnsbl|rbl)\b/iu;
const mailboxTrouble = /mailbox|user (?:is )?over|recipient(?:'s)? (?:is )?over|no such user|user unknown/iu;

/**
 * The enhanced code of an answer (RFC 2034), which follows the reply code. Where an answer has several lines, the first
 * line may lack it. Some servers write it as `#5.7.1` or `(5.7.1)`.
 */
export function enhancedCodeOf(response: string): string | undefined {
  return /^[2-5]\d\d[ -]+[#([]?([245]\.\d{1,3}\.\d{1,3})(?![\d.])/mu.exec(response)?.[1];
}
