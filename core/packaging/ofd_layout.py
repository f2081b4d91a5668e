"""Where things stand inside the OFD files the hub writes: member names and object numbers. The one place for both."""

DOCUMENT_ENTRY = "OFD.xml"
DOCUMENT = "Doc_0/Document.xml"
PUBLIC_RESOURCES = "Doc_0/PublicRes.xml"
DOCUMENT_RESOURCES = "Doc_0/DocumentRes.xml"
RESOURCE_FOLDER = "Doc_0/Res/"
QR_PICTURE = "Doc_0/Res/qr.png"
TEMPLATE_PAGE = "Doc_0/Tpls/Tpl_0/Content.xml"
PAGE = "Doc_0/Pages/Page_0/Content.xml"
ANNOTATIONS = "Doc_0/Annots/Annotations.xml"
PAGE_ANNOTATION = "Doc_0/Annots/Page_0/Annotation.xml"
CUSTOM_TAGS = "Doc_0/Tags/CustomTags.xml"
FACE_ITEMS = "Doc_0/Tags/FaceItems.xml"
ATTACHMENTS = "Doc_0/Attachs/Attachments.xml"
METADATA = "Doc_0/Attachs/metadata.xml"
LICENCE = "Doc_0/Attachs/licence.json"
SIGNATURES = "Doc_0/Signs/Signatures.xml"
SEAL = "Doc_0/Signs/Sign_0/Seal.esl"
SIGNATURE = "Doc_0/Signs/Sign_0/Signature.xml"
SIGNED_VALUE = "Doc_0/Signs/Sign_0/SignedValue.dat"

FACE_ITEMS_NAMESPACE = "urn:licence-hub:face-items:1"
METADATA_ATTACHMENT, LICENCE_ATTACHMENT = "metadata", "licence"

METADATA_ID, LICENCE_ID = "a1", "a2"
SIGNATURE_ID = "s001"
STAMP_PREFIX = "stamp"
"""Attachments, signatures and stamps are named (xs:ID); pages, resources and objects are numbered (ST_ID)."""

PAGE_ID = 1
TEMPLATE_ID = 2
FONT_ID = 3
BASE_IMAGE_ID = 4
QR_IMAGE_ID = 5
BACKGROUND_LAYER_ID = 6
BASE_OBJECT_ID = 7
WATERMARK_ID = 10
FIRST_WATERMARK_TEXT_ID = 20
FIRST_LABEL_ID = 300
BODY_LAYER_ID = 1000
QR_OBJECT_ID = 1001
FIRST_FIELD_ID = 1100
FIRST_SCAN_ID = 3000
MAX_ID = 9999
