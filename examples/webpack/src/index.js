document.body.textContent = "An app.";
