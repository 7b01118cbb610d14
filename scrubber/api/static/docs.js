// Fills the documentation page. Without validatorUrl: null, Swagger UI would show the document to an outside validator.
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  validatorUrl: null,
});
