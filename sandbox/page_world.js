// The page brings itself up to date while it is looked at. Without scripts it is as good as its last load.
(function () {
  var busy = false;
  setInterval(function () {
    var text = getSelection();
    if (busy || document.hidden || text && !text.isCollapsed || !document.querySelector('main[data-live]')) return;
    busy = true;
    fetch(location.href, {credentials: 'same-origin'}).then(function (answer) { return answer.text(); }).then(function (html) {
      var fresh = new DOMParser().parseFromString(html, 'text/html').querySelector('main');
      var here = document.querySelector('main');
      if (fresh && fresh.innerHTML !== here.innerHTML && !here.matches(':active') && !here.contains(document.activeElement)) here.replaceWith(fresh);
    }).catch(function () {}).then(function () { busy = false; });
  }, 2000);
})();
