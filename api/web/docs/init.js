/* global SwaggerUIBundle */
SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#documentation',
  deepLinking: true,
  // Nothing is sent to a validator on the network.
  validatorUrl: null,
})
