"""Why a credential is not accepted: each says which header and what to do about it."""

from contracts.fault import Rule

NO_CREDENTIAL = Rule(
    code="auth.no-credential",
    en="the request carries no credential",
    zh="请求未携带任何凭据",
    remedy_en="Sign the request with X-Client-Id, X-Timestamp, X-Nonce, X-Content-SHA256 and X-Signature, or send a bearer key.",
    remedy_zh="请用 X-Client-Id、X-Timestamp、X-Nonce、X-Content-SHA256 和 X-Signature 签名，或携带 Bearer 密钥。",
)
HEADER_MISSING = Rule(
    code="auth.header-missing",
    en="header {header} is missing",
    zh="缺少请求头 {header}",
    remedy_en="A signed request carries all five headers.",
    remedy_zh="签名请求必须携带全部五个请求头。",
)
HEADER_REPEATED = Rule(
    code="auth.header-repeated",
    en="header {header} is sent more than once",
    zh="请求头 {header} 重复出现",
    remedy_en="Send it once.",
    remedy_zh="该请求头只能出现一次。",
)
HEADER_MALFORMED = Rule(
    code="auth.header-malformed",
    en="header {header} must be {expected}",
    zh="请求头 {header} 的格式应为 {expected}",
    remedy_en="Write the header in that form.",
    remedy_zh="请按该格式填写。",
)
CLOCK = Rule(
    code="auth.clock",
    en="X-Timestamp is {off_s} s {direction} the hub's clock; at most {window_s} s are accepted",
    zh="X-Timestamp 与平台时钟相差 {off_s} 秒（{direction_zh}），最多允许 {window_s} 秒",
    remedy_en="Set the sender's clock (NTP) and sign with the present time in Unix milliseconds.",
    remedy_zh="请校准发送方时钟（NTP），并以当前 Unix 毫秒时间签名。",
)
SIGNATURE = Rule(
    code="auth.signature",
    en="the client is unknown or X-Signature does not fit the request",
    zh="客户端未知，或 X-Signature 与请求不符",
    remedy_en="Sign method, path with query, timestamp, nonce and content digest, one a line, with the client's secret.",
    remedy_zh="请用客户端密钥对逐行排列的方法、带查询的路径、时间戳、随机数和正文摘要签名。",
)
BEARER = Rule(
    code="auth.bearer",
    en="the bearer key is not known",
    zh="Bearer 密钥无效",
    remedy_en="Use the key of a client of kind bearer.",
    remedy_zh="请使用类型为 bearer 的客户端密钥。",
)
NONCE_SEEN = Rule(
    code="auth.nonce-seen",
    en="X-Nonce was used before",
    zh="X-Nonce 已被使用过",
    remedy_en="Make a new random nonce and sign again; to repeat a push safely, keep its Idempotency-Key.",
    remedy_zh="请生成新的随机数并重新签名；如需安全重发，请保留原 Idempotency-Key。",
)
CONTENT_DIGEST = Rule(
    code="auth.content-digest",
    en="the body received does not have the digest that X-Content-SHA256 states",
    zh="收到的正文与 X-Content-SHA256 声明的摘要不一致",
    remedy_en="The body was cut or changed on its way, or other bytes were digested: nothing was accepted, send it again.",
    remedy_zh="正文在传输中被截断或改动，或摘要取自其他字节：未接收任何数据，请重新发送。",
)
